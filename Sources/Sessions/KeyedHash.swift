internal import HTTPModel
internal import Memory

/// 128 bits that stand for a session ID or a jar cookie value.
public struct Digest: Hashable, Sendable {
    /// The first eight bytes of the hash, read as a little-endian number.
    public let low: UInt64
    /// The last eight bytes.
    public let high: UInt64

    /// A digest from its halves.
    public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }
}

/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012): a short keyed hash.
///
/// The jar finds sessions and cookies by it, so that nobody without the key can choose values that
/// collide, and so that neither cookie values nor the IDs of ended sessions lie in memory. It is
/// written here, not taken from OpenSSL, because the core knows no C and every request with a
/// session computes one: about 300 instructions, less than OpenSSL's set-up of a MAC alone.
/// The key is 16 bytes from the system's random source, made anew at each start.
public struct KeyedHash: Sendable {
    private let key0: UInt64
    private let key1: UInt64

    /// A hash with a key given as two little-endian words.
    public init(key0: UInt64, key1: UInt64) {
        self.key0 = key0
        self.key1 = key1
    }

    /// A hash with a key of its own, so that equal bytes of two kinds have different digests.
    func derived(domain: UInt64) -> Self {
        var state = State(key0, key1)
        state.absorb(domain)
        state.absorb(8 << 56)
        let digest = state.finish()
        return Self(key0: digest.low, key1: digest.high)
    }

    /// The digest of all bytes of a span.
    public func digest(_ bytes: Span<UInt8>) -> Digest {
        digest(bytes, from: 0, count: bytes.count)
    }

    /// The digest of a run of bytes.
    ///
    /// - Precondition: the run lies within the span.
    public func digest(_ bytes: Span<UInt8>, from start: Int, count: Int) -> Digest {
        var state = State(key0, key1)
        let end = start + count
        var place = start
        while end - place >= 8, let word = bytes.word(at: place) {
            state.absorb(word)
            place &+= 8
        }
        var last = UInt64(truncatingIfNeeded: count) &<< 56
        var shift: UInt64 = 0
        while place < end {
            last |= UInt64(bytes[place]) &<< shift
            shift &+= 8
            place &+= 1
        }
        state.absorb(last)
        return state.finish()
    }

    private struct State {
        var v0: UInt64
        var v1: UInt64
        var v2: UInt64
        var v3: UInt64

        init(_ key0: UInt64, _ key1: UInt64) {
            v0 = key0 ^ 0x736F_6D65_7073_6575
            // 0xEE marks the variant with 128 bits.
            v1 = key1 ^ 0x646F_7261_6E64_6F6D ^ 0xEE
            v2 = key0 ^ 0x6C79_6765_6E65_7261
            v3 = key1 ^ 0x7465_6462_7974_6573
        }

        @inline(__always)
        mutating func round() {
            v0 &+= v1
            v1 = Self.rotated(v1, 13) ^ v0
            v0 = Self.rotated(v0, 32)
            v2 &+= v3
            v3 = Self.rotated(v3, 16) ^ v2
            v0 &+= v3
            v3 = Self.rotated(v3, 21) ^ v0
            v2 &+= v1
            v1 = Self.rotated(v1, 17) ^ v2
            v2 = Self.rotated(v2, 32)
        }

        @inline(__always)
        mutating func absorb(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        mutating func finish() -> Digest {
            v2 ^= 0xEE
            for _ in 0..<4 { round() }
            let low = v0 ^ v1 ^ v2 ^ v3
            v1 ^= 0xDD
            for _ in 0..<4 { round() }
            return Digest(low: low, high: v0 ^ v1 ^ v2 ^ v3)
        }

        @inline(__always)
        static func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 {
            word &<< count | word &>> (64 &- count)
        }
    }
}
