/// One pair of a `Cookie` field value, as ranges over the same bytes as the value's.
public struct CookiePair: Hashable, Sendable {
    /// The name; empty for a pair without "=", which is how browsers read it (RFC 6265bis §5.7).
    public var name: ByteRange
    /// The value, with the double quotes around it if it has any.
    public var value: ByteRange
    /// The whole pair, without the white space around it.
    ///
    /// Written again with "; " between them, the pairs that stay make a sound field value.
    public var pair: ByteRange

    /// A pair.
    public init(name: ByteRange, value: ByteRange, pair: ByteRange) {
        self.name = name
        self.value = value
        self.pair = pair
    }
}

/// Walks through the pairs of one `Cookie` field value (RFC 6265 §4.2).
///
/// Servers differ in how they read odd values, so this reads them as RFC 6265bis has a browser
/// write them: only ";" separates pairs (in quotes too), only the first "=" separates the name from
/// the value, white space around either means nothing, and empty pairs are passed over.
public struct CookiePairs: Sendable {
    private var place: Int
    private let end: Int

    /// A cursor before the first pair of a field value.
    public init(_ value: ByteRange) {
        place = value.start
        end = value.end
    }

    /// The next pair; nil behind the last.
    public mutating func next(_ bytes: Span<UInt8>) -> CookiePair? {
        let limit = min(end, bytes.count)
        while place < limit {
            let start = place
            var equals = -1
            while place < limit, bytes[place] != 0x3B {
                if equals < 0, bytes[place] == 0x3D { equals = place }
                place &+= 1
            }
            let stop = place
            place &+= 1
            let pair = bytes.trimmed(start, stop)
            if pair.isEmpty { continue }
            guard equals >= 0 else {
                let name = ByteRange(offset: pair.start, count: 0)
                return CookiePair(name: name, value: pair, pair: pair)
            }
            return CookiePair(
                name: bytes.trimmed(start, equals),
                value: bytes.trimmed(equals &+ 1, stop),
                pair: pair
            )
        }
        return nil
    }
}
