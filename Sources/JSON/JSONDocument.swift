internal import CJansson

/// Why a text is not taken for a document.
public enum JSONError: Error, Equatable, Sendable {
    /// It is not JSON (RFC 8259), not UTF-8, or an object has two members of one name: which one
    /// counts is a question that parsers answer differently, so none does.
    case malformed
    /// Arrays and objects are nested deeper than 64.
    case tooDeep
}

/// A JSON text, parsed whole; single values are read out of it as text.
///
/// The caller bounds the size. Nothing in the text can make it trap, and values are bytes, not
/// strings, because a NUL (`\u0000`) may stand in one.
@safe
public struct JSONDocument: ~Copyable {
    private let root: UnsafeMutablePointer<json_t>

    /// Parses a text.
    public init(_ bytes: Span<UInt8>) throws(JSONError) {
        let text = try JSONText(bytes).text
        let flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL
        // Safe because jansson reads within the count, during the call, and copies what it keeps.
        let parsed = unsafe text.withUnsafeBytes { raw in
            unsafe json_loadb(
                raw.baseAddress?.assumingMemoryBound(to: CChar.self),
                raw.count,
                Int(flags),
                nil
            )
        }
        guard let parsed = unsafe parsed else { throw .malformed }
        unsafe root = parsed
    }

    /// Parses a text.
    public init(_ bytes: [UInt8]) throws(JSONError) {
        try self.init(bytes.span)
    }

    deinit {
        unsafe cjansson_release(root)
    }

    /// The string at a place, or the number, `true` or `false` there as it is written.
    ///
    /// Nil where there is nothing, `null`, an array or an object.
    public func value(at pointer: JSONPointer) -> [UInt8]? {
        var place = unsafe root
        for token in pointer.tokens {
            guard let next = unsafe Self.member(token, of: place) else { return nil }
            unsafe place = next
        }
        switch unsafe place.pointee.type {
        case JSON_STRING: return unsafe Self.bytes(of: place)
        case JSON_TRUE: return Array("true".utf8)
        case JSON_FALSE: return Array("false".utf8)
        // JSON_INTEGER and JSON_REAL do not occur: JSONText made strings of them.
        default: return nil
        }
    }

    /// Whether the whole is an object.
    public var isObject: Bool { unsafe root.pointee.type == JSON_OBJECT }

    /// Whether the whole is an object with a member of this name, be it `null`.
    public func hasMember(_ name: [UInt8]) -> Bool {
        unsafe isObject && Self.member(name, of: root) != nil
    }

    @unsafe
    private static func member(
        _ token: [UInt8],
        of place: UnsafeMutablePointer<json_t>
    ) -> UnsafeMutablePointer<json_t>? {
        switch unsafe place.pointee.type {
        case JSON_OBJECT:
            // Safe because the name is read within its count; the member lives as long as the root.
            return unsafe token.withUnsafeBytes { raw in
                // An empty array may have no address, and jansson wants one.
                guard let name = raw.baseAddress else { return unsafe json_object_get(place, "") }
                return unsafe json_object_getn(
                    place,
                    name.assumingMemoryBound(to: CChar.self),
                    raw.count
                )
            }
        case JSON_ARRAY:
            // jansson gives nil for an index that is too large.
            return unsafe JSONPointer.arrayIndex(token).flatMap { unsafe json_array_get(place, $0) }
        default:
            return nil
        }
    }

    @unsafe
    private static func bytes(of string: UnsafeMutablePointer<json_t>) -> [UInt8] {
        guard let start = unsafe json_string_value(string) else { return [] }
        let raw = unsafe UnsafeRawBufferPointer(start: start, count: json_string_length(string))
        return unsafe Array(raw)
    }
}
