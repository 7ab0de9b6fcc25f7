internal import COpenSSL

/// The machine could not give random bytes: whoever needs them must not go on without.
public struct SecureRandomError: Error, Equatable, Sendable {
    /// OpenSSL's code, for the log.
    public let code: UInt
}

/// Random bytes fit for secrets, from OpenSSL's generator; any thread may ask.
///
/// There is no weaker source to fall back to: no randomness is an error.
public enum SecureRandom {
    /// As many random bytes.
    ///
    /// - Precondition: `count` is not negative.
    public static func bytes(_ count: Int) throws(SecureRandomError) -> [UInt8] {
        precondition(count >= 0 && count <= Int(Int32.max))
        var isFilled = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { memory, filled in
            // Safe because OpenSSL writes exactly `count` bytes or says that it did not.
            isFilled = unsafe fill(UnsafeMutableRawBufferPointer(memory))
            filled = isFilled ? count : 0
        }
        guard isFilled else { throw failure() }
        return bytes
    }

    /// A random word.
    public static func word() throws(SecureRandomError) -> UInt64 {
        var word: UInt64 = 0
        // Safe because every pattern of eight bytes is a word.
        let isFilled = unsafe withUnsafeMutableBytes(of: &word) { unsafe fill($0) }
        guard isFilled else { throw failure() }
        return word
    }

    @unsafe
    private static func fill(_ memory: UnsafeMutableRawBufferPointer) -> Bool {
        guard let start = memory.baseAddress, unsafe !memory.isEmpty else { return true }
        ERR_clear_error()
        return unsafe RAND_bytes(
            start.assumingMemoryBound(to: UInt8.self),
            Int32(truncatingIfNeeded: memory.count)
        ) == 1
    }

    private static func failure() -> SecureRandomError {
        SecureRandomError(code: ERR_get_error())
    }
}
