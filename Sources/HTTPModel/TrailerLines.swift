/// Walks through the field lines of trailers (RFC 9112 §7.1.2) that were found sound.
///
/// For bytes of which nobody has checked that they are lines it finds some or none, but nothing
/// outside of them.
public struct TrailerLines: Sendable {
    /// One field line, as ranges over the same bytes.
    public struct Line: Hashable, Sendable {
        /// The field name, as spelt.
        public var name: ByteRange
        /// The whole line with its CRLF.
        public var line: ByteRange
    }

    private var place: Int
    private let end: Int

    /// A cursor before the first of `count` bytes of trailers.
    public init(offset: Int, count: Int) {
        place = max(0, offset)
        end = max(0, offset) + max(0, count)
    }

    /// The next line; nil at the empty line behind the last.
    public mutating func next(_ bytes: Span<UInt8>) -> Line? {
        let limit = min(end, bytes.count)
        let start = place
        var nameEnd = start
        while nameEnd < limit, ByteClass.isToken(bytes[nameEnd]) { nameEnd &+= 1 }
        guard nameEnd > start, nameEnd < limit, bytes[nameEnd] == 0x3A else { return nil }
        var lineEnd = nameEnd
        while lineEnd < limit, bytes[lineEnd] != 0x0A { lineEnd &+= 1 }
        guard lineEnd < limit else { return nil }
        place = lineEnd &+ 1
        return Line(
            name: ByteRange(offset: start, count: nameEnd &- start),
            line: ByteRange(offset: start, count: place &- start)
        )
    }
}
