internal import HTTPModel
public import Memory

/// What names a request across the hops that it takes (`X-Request-ID`), where its client did not.
///
/// It is no secret, and nothing is decided by it. A worker numbers its requests; the text has what
/// tells it from other workers in front.
public struct RequestID: Hashable, Sendable {
    let number: UInt32
}

/// A worker's source of request IDs: no two are equal, and no call to the system makes one.
public struct RequestIDs: Sendable {
    /// A longer one of a client's is not passed on.
    private static let countMax = 128

    /// The first 24 digits, as text, eight in each word.
    private var start: (UInt64, UInt64, UInt64)
    private var state: UInt64
    private var count: UInt32 = 0

    /// A source from random bits; workers differ by them.
    public init(seed: (UInt64, UInt64)) {
        state = seed.1
        start = (Self.digits(seed.0 >> 32), Self.digits(seed.0), Self.digits(seed.1 >> 32))
    }

    /// The next one.
    public mutating func next() -> RequestID {
        count &+= 1
        if count == 0 { beginAnew() }
        return RequestID(number: count)
    }

    /// All numbers were given once: with another start they are new again.
    private mutating func beginAnew() {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        start.2 = Self.digits(state >> 32)
    }

    /// Appends the 32 digits of an ID of this source.
    @inline(__always)
    public func append(_ id: RequestID, to out: inout Buffer) {
        // The number times an odd one: every text once, and neighbours do not look alike.
        let last = Self.digits(UInt64(id.number &* 0x9E37_79B1))
        out.append(words: (start.0, start.1, start.2, last))
    }

    /// The eight digits of a number's lower half, the first in the lowest byte; all at once.
    @inline(__always)
    private static func digits(_ number: UInt64) -> UInt64 {
        var digits = UInt64(UInt32(truncatingIfNeeded: number).byteSwapped)
        digits = (digits | digits &<< 16) & 0x0000_FFFF_0000_FFFF
        digits = (digits | digits &<< 8) & 0x00FF_00FF_00FF_00FF
        digits =
            (digits &>> 4 & 0x000F_000F_000F_000F) | (digits & 0x000F_000F_000F_000F) &<< 8
        let letters = (digits &+ 0x0606_0606_0606_0606) &>> 4 & 0x0101_0101_0101_0101
        return digits &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
    }

    /// Whether a line holds a name that is passed on as it is: 1 to 128 visible ASCII bytes.
    ///
    /// Of several such lines the first counts, and the others are left out.
    static func isPassedOn(_ line: FieldLine, in bytes: Span<UInt8>) -> Bool {
        guard line.id == .xRequestID, !line.isHopByHop else { return false }
        guard !line.value.isEmpty, line.value.count <= countMax else { return false }
        for place in line.value.start..<line.value.end {
            guard bytes[place] > 0x20, bytes[place] < 0x7F else { return false }
        }
        return true
    }
}
