public import HTTPModel
public import Memory
public import Sessions

/// Passes trailers on, both ways, without those that must not be trailers (RFC 9110 §6.5.1).
///
/// A recipient may merge trailers into the head. So nothing passes that says where a message ends,
/// where it goes, who sent it, how it is to be treated or what its content is; nothing that carries
/// a session (contract 2.1); nothing that the sender's `Connection` named as meant for us alone.
/// `_` counts as `-`, since many servers make the same of both. What is left out is left out in
/// silence.
public enum TrailerRewriter {
    /// Appends the lines that pass, as they are.
    ///
    /// `count` bytes of trailers stand in `input` from `offset` on; `nominated` is what
    /// `nominations` found in the head.
    public static func write(
        _ count: Int,
        bytesOf input: borrowing Buffer,
        from offset: Int,
        nominated: [[UInt8]],
        rules: SessionRules,
        into out: inout Buffer
    ) {
        var lines = TrailerLines(offset: offset, count: count)
        while true {
            let bytes = input.bytes
            guard let line = lines.next(bytes) else { return }
            if mayPass(bytes, line.name, nominated, rules) {
                out.append(input, from: line.line.start, count: Int(line.line.count))
            }
        }
    }

    private static func mayPass(
        _ bytes: Span<UInt8>,
        _ name: ByteRange,
        _ nominated: [[UInt8]],
        _ rules: SessionRules
    ) -> Bool {
        if rules.isCarrier(bytes, name) { return false }
        let spelt = normalised(bytes, name)
        if nominated.contains(spelt) { return false }
        let text = String(decoding: spelt, as: Unicode.ASCII.self)
        return !forbidden.contains(text) && !forbiddenBeginnings.contains { text.hasPrefix($0) }
    }

    /// Lower case, with `-` for `_`.
    private static func normalised(_ bytes: Span<UInt8>, _ name: ByteRange) -> [UInt8] {
        (name.start..<name.end).map { place in
            let byte = bytes[place]
            return byte == UInt8(ascii: "_") ? UInt8(ascii: "-") : byte.lowercasedASCII
        }
    }

    private static let forbidden: Set<String> = [
        // Where the message ends, and what is for one connection alone.
        "connection", "content-length", "http2-settings", "keep-alive", "te", "trailer",
        "transfer-encoding", "upgrade",
        // Where it goes, the way that it has come, and its name on that way.
        "forwarded", "host", "max-forwards", "origin", "referer", "via", "x-real-ip",
        "x-request-id",
        // How a request is to be treated.
        "accept", "cache-control", "expect", "pragma", "prefer", "range",
        // Who sends it.
        "authentication-control", "authorization", "cookie", "cookie2", "set-cookie",
        "set-cookie2", "www-authenticate",
        // How a response is to be treated.
        "age", "allow", "clear-site-data", "date", "expires", "location", "refresh",
        "retry-after", "strict-transport-security", "vary", "warning",
        // What the content is; its digest may follow it (RFC 9530).
        "content-disposition", "content-encoding", "content-language", "content-location",
        "content-range", "content-type",
    ]
    private static let forbiddenBeginnings = [
        "accept-", "access-control-", "content-security-policy", "if-", "proxy-", "sec-",
        "x-client-cert-", "x-forwarded-",
    ]

    /// The fields that the `Connection` lines of a head nominate, in lower case with `-` for `_`;
    /// for a head whose content may have trailers.
    ///
    /// Those that say something of the connection are none: a head may have thousands of them, but
    /// of others no more than the parser lets pass.
    public static func nominations(
        _ fields: borrowing FieldLines,
        in input: borrowing Buffer
    ) -> [[UInt8]] {
        let bytes = input.bytes
        var found: [[UInt8]] = []
        for index in 0..<fields.count where fields[index].id == .connection {
            var options = ListCursor(fields[index].value)
            while let option = options.next(bytes) {
                if equalsIgnoringCase(bytes, option, "close")
                    || equalsIgnoringCase(bytes, option, "keep-alive")
                    || equalsIgnoringCase(bytes, option, "upgrade")
                {
                    continue
                }
                if bytes.isToken(option) { found.append(normalised(bytes, option)) }
            }
        }
        return found
    }
}
