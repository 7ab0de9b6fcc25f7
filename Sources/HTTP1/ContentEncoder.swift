public import Memory

/// Writes the framing of the chunked transfer coding (RFC 9112 §7.1) around content.
public enum ContentEncoder {
    /// Writes what stands before a chunk of `count` bytes.
    ///
    /// - Precondition: `count` is positive: a chunk of none ends the message.
    public static func beginChunk(_ count: Int, into output: inout Buffer) {
        precondition(count > 0)
        output.append(hexadecimal: UInt64(count))
        output.append("\r\n")
    }

    /// Writes what stands behind a chunk.
    public static func endChunk(into output: inout Buffer) {
        output.append("\r\n")
    }

    /// Writes the last chunk, and the end of the message.
    public static func lastChunk(into output: inout Buffer) {
        output.append("0\r\n\r\n")
    }

    /// Writes the last chunk of a message with trailers: their lines follow, then `endTrailers`.
    public static func beginTrailers(into output: inout Buffer) {
        output.append("0\r\n")
    }

    /// Writes the end of a message with trailers.
    public static func endTrailers(into output: inout Buffer) {
        output.append("\r\n")
    }
}
