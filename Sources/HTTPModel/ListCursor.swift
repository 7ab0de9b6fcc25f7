/// Walks through the elements of a comma-separated field value (RFC 9110 §5.6.1).
///
/// Empty elements are passed over, as a recipient must, but counted, since a sender must not make
/// them and where framing hangs on the value they are a reason to refuse. A comma within a quoted
/// string does not end an element; a quoted string that never ends takes all that is left.
public struct ListCursor: Sendable {
    private var place: Int
    private let end: Int
    private var isMore = true
    /// How many empty elements have been passed over.
    public private(set) var emptyCount = 0

    /// A cursor before the first element of a field value.
    public init(_ value: ByteRange) {
        place = value.start
        end = value.end
    }

    /// The next element without the white space around it; nil behind the last.
    public mutating func next(_ bytes: Span<UInt8>) -> ByteRange? {
        let limit = min(end, bytes.count)
        while isMore {
            let start = min(place, limit)
            let stop = Self.endOfElement(bytes, start, limit)
            place = stop &+ 1
            // Behind a comma stands one more element, even if it is empty.
            isMore = stop < limit
            let element = bytes.trimmed(start, stop)
            if !element.isEmpty { return element }
            emptyCount &+= 1
        }
        return nil
    }

    private static func endOfElement(_ bytes: Span<UInt8>, _ start: Int, _ limit: Int) -> Int {
        var place = start
        var isQuoted = false
        while place < limit {
            switch bytes[place] {
            case 0x22: isQuoted.toggle()
            case 0x5C where isQuoted: place &+= 1
            case 0x2C where !isQuoted: return place
            default: break
            }
            place &+= 1
        }
        return limit
    }
}

extension Span<UInt8> {
    /// The bytes from `start` up to `end`, without SP and HTAB at both ends.
    ///
    /// - Precondition: both lie within the span, in this order.
    public func trimmed(_ start: Int, _ end: Int) -> ByteRange {
        var first = start
        var last = end
        while first < last, ByteClass.isBlank(self[first]) { first &+= 1 }
        while last > first, ByteClass.isBlank(self[last &- 1]) { last &-= 1 }
        return ByteRange(offset: first, count: last &- first)
    }

    /// Whether a run of bytes is a token (RFC 9110 §5.6.2).
    public func isToken(_ range: ByteRange) -> Bool {
        guard !range.isEmpty, range.end <= count else { return false }
        var place = range.start
        while place < range.end {
            if !ByteClass.isToken(self[place]) { return false }
            place &+= 1
        }
        return true
    }
}
