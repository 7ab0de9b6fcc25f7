public import HTTPModel
public import Memory

/// How a response must be kept out of shared caches because it gives a client its jar cookie.
///
/// It gains `Cache-Control: private`, unless it is that strict already. Lines that say the contrary
/// are dropped whole: what else they allow is lost, which is only a missed chance to cache.
public struct CachePrivacy: Sendable, Equatable {
    /// Whether a line with `public` or `s-maxage` is there: leave out each for which `isShared`
    /// holds.
    public var dropsSharedLines = false
    /// Whether `Cache-Control: private` is to be added.
    public var addsPrivate = true

    /// What a response needs.
    public init(_ head: borrowing ResponseHead, in input: borrowing Buffer) {
        let bytes = input.bytes
        for index in 0..<head.fields.count where head.fields[index].id == .cacheControl {
            let directives = Directives(bytes, head.fields[index].value)
            if directives.isShared {
                dropsSharedLines = true
            } else if directives.isPrivate {
                addsPrivate = false
            }
        }
    }

    /// Whether a `Cache-Control` line allows shared caches what a session's response must not.
    public static func isShared(_ value: ByteRange, in input: borrowing Buffer) -> Bool {
        Directives(input.bytes, value).isShared
    }

    /// Whether a response has no `Vary` line yet that names `Cookie` or is `*`.
    public static func needsVaryCookie(
        _ head: borrowing ResponseHead,
        in input: borrowing Buffer
    ) -> Bool {
        let bytes = input.bytes
        for index in 0..<head.fields.count where head.fields[index].id == .vary {
            var names = ListCursor(head.fields[index].value)
            while let name = names.next(bytes) {
                if equalsIgnoringCase(bytes, name, "cookie") { return false }
                if name.count == 1, bytes[name.start] == 0x2A { return false }
            }
        }
        return true
    }

    private struct Directives {
        var isShared = false
        var isPrivate = false

        init(_ bytes: Span<UInt8>, _ value: ByteRange) {
            var list = ListCursor(value)
            while let directive = list.next(bytes) {
                var end = directive.start
                while end < directive.end, bytes[end] != 0x3D { end &+= 1 }
                let name = bytes.trimmed(directive.start, end)
                let hasArgument = end < directive.end
                if equalsIgnoringCase(bytes, name, "public")
                    || equalsIgnoringCase(bytes, name, "s-maxage")
                {
                    isShared = true
                }
                // `private="Field"` is about that field alone (RFC 9111 §5.2.2.7).
                if equalsIgnoringCase(bytes, name, "no-store")
                    || !hasArgument && equalsIgnoringCase(bytes, name, "private")
                {
                    isPrivate = true
                }
            }
        }
    }
}
