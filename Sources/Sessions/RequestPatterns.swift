internal import HTTPModel
internal import Settings

/// The patterns of one list of rules, matched against the raw bytes of a request's method and path.
///
/// Nothing is decoded or normalised: `/%68ealth`, `//health` and `/api/../health` are not
/// `/health`, whatever the backend makes of them. That errs on the right side for exact patterns: a
/// request matches only if it is spelt as in the configuration.
struct RequestPatterns: Sendable {
    private let patterns: [RequestPattern]

    init(_ patterns: [RequestPattern]) {
        self.patterns = patterns
    }

    /// Whether some pattern matches.
    ///
    /// With `refusingWayOut`, as for exemptions, a prefix pattern does not match a path that may
    /// lead out of the prefix. `/static/../api/data` begins with `/static/`, but a backend that
    /// resolves dot segments serves `/api/data`; so whoever writes a path could choose that
    /// a request is exempt, and with it that `session.required` and the 401 do not apply.
    func match(
        _ head: borrowing RequestHead,
        _ bytes: Span<UInt8>,
        refusingWayOut: Bool = false
    ) -> Bool {
        for pattern in patterns
        where Self.matches(pattern, head, bytes, refusingWayOut: refusingWayOut) {
            return true
        }
        return false
    }

    /// Whether one pattern matches a request.
    static func matches(
        _ pattern: borrowing RequestPattern,
        _ head: borrowing RequestHead,
        _ bytes: Span<UInt8>,
        refusingWayOut: Bool
    ) -> Bool {
        if let method = pattern.method {
            guard head.methodRange.count == method.count,
                begins(bytes, head.methodRange, method)
            else { return false }
        }
        let path = head.path
        if path.isEmpty, head.targetForm == .absolute {
            // RFC 9112 §3.2.2: an absolute-form without a path means "/".
            return pattern.path == [0x2F] || pattern.isPrefix && pattern.path.isEmpty
        }
        guard begins(bytes, path, pattern.path) else { return false }
        guard pattern.isPrefix else { return path.count == pattern.path.count }
        return !refusingWayOut || !mayLeadOut(bytes, path)
    }

    private static func begins(_ bytes: Span<UInt8>, _ run: ByteRange, _ start: [UInt8]) -> Bool {
        guard run.count >= start.count else { return false }
        var place = run.start
        for expected in start {
            if bytes[place] != expected { return false }
            place &+= 1
        }
        return true
    }

    /// Whether some server could read a segment of the path as "..".
    ///
    /// Segments may end at "/", "\" (IIS) and ";" (Java containers cut off path parameters:
    /// "..;/"), each of them and the dots percent-encoded too. A percent sign that is encoded
    /// itself may be decoded twice, and %C0 and %C1 begin overlong UTF-8, so they count as ways
    /// out. In doubt the answer is yes: the request is then judged like any other.
    static func mayLeadOut(_ bytes: Span<UInt8>, _ path: ByteRange) -> Bool {
        var dots = 0
        var isPlain = true
        var place = path.start
        while place < path.end {
            var byte = bytes[place]
            var length = 1
            if byte == 0x25, place &+ 2 < path.end {
                let high = ByteClass.hexadecimalValue(bytes[place &+ 1])
                let low = ByteClass.hexadecimalValue(bytes[place &+ 2])
                if high < 16, low < 16 {
                    byte = high << 4 | low
                    length = 3
                    if byte == 0x25 || byte == 0 || byte & 0xFE == 0xC0 { return true }
                }
            }
            place &+= length
            switch byte {
            case 0x2F, 0x5C, 0x3B:
                if isPlain, dots == 2 { return true }
                dots = 0
                isPlain = true
            case 0x2E: dots &+= 1
            default: isPlain = false
            }
        }
        return isPlain && dots == 2
    }
}
