/// The way to one value in a document (RFC 6901): `/sessions/0/id`, or empty for the whole.
public struct JSONPointer: Equatable, Hashable, Sendable {
    /// The names on the way, without their escapes.
    let tokens: [[UInt8]]

    /// Reads a pointer; nil where it does not begin with `/`, or `~` has neither 0 nor 1 after it.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let first = bytes.first else {
            tokens = []
            return
        }
        guard first == UInt8(ascii: "/") else { return nil }
        var tokens: [[UInt8]] = []
        let parts = bytes.dropFirst()
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for part in parts {
            guard let token = Self.unescape(part) else { return nil }
            tokens.append(token)
        }
        self.tokens = tokens
    }

    /// RFC 6901 §4: `~1` is `/`, and `~0` is `~`.
    private static func unescape(_ part: ArraySlice<UInt8>) -> [UInt8]? {
        var token: [UInt8] = []
        var isEscape = false
        for byte in part {
            switch (isEscape, byte) {
            case (false, UInt8(ascii: "~")):
                isEscape = true
            case (false, _):
                token.append(byte)
            case (true, UInt8(ascii: "0")):
                token.append(UInt8(ascii: "~"))
                isEscape = false
            case (true, UInt8(ascii: "1")):
                token.append(UInt8(ascii: "/"))
                isEscape = false
            case (true, _):
                return nil
            }
        }
        return isEscape ? nil : token
    }

    /// RFC 6901 §4: an index has no leading zero; `-`, the place after the last, is never there.
    static func arrayIndex(_ token: [UInt8]) -> Int? {
        guard !token.isEmpty, token.count <= 9 else { return nil }
        guard token.count == 1 || token.first != UInt8(ascii: "0") else { return nil }
        var index = 0
        for byte in token {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            index = index * 10 + Int(byte - 0x30)
        }
        return index
    }
}
