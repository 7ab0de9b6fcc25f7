internal import HTTPModel

// The framing of the chunked coding, a byte at a time: it is a few bytes between much content.
extension ContentDecoder {
    /// The state behind one more byte of framing.
    mutating func advanced(by byte: UInt8) -> State {
        switch state {
        case .chunkSize(let size, let digits):
            return afterSize(size, digits, byte)
        case .chunkBlank(let size, let lineBytes):
            return afterBlank(size, lineBytes, byte)
        case .chunkExtensionStart(let size, let lineBytes):
            return afterExtensionStart(size, lineBytes, byte)
        case .chunkExtension(let size, let lineBytes):
            return afterExtension(size, lineBytes, byte)
        case .chunkSizeLineFeed(let size):
            guard byte == 0x0A else { return .failed(.bareCarriageReturn) }
            return size == 0 ? .trailerStart : .chunkContent(size)
        case .chunkEnd:
            guard byte == 0x0D else {
                return .failed(byte == 0x0A ? .bareLineFeed : .badChunkEnd)
            }
            return .chunkEndLineFeed
        case .chunkEndLineFeed:
            return byte == 0x0A ? .chunkSize(0, digits: 0) : .failed(.bareCarriageReturn)
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed:
            return afterTrailer(byte)
        case .length, .untilClose, .chunkContent, .trailersComplete, .finished, .failed:
            return state
        }
    }

    /// `1*HEXDIG` (RFC 9112 §7.1), bounded so that it cannot overflow.
    private func afterSize(_ size: UInt64, _ digits: UInt8, _ byte: UInt8) -> State {
        let value = ByteClass.hexadecimalValue(byte)
        if value < 16 {
            guard digits < Self.sizeDigitsMax else { return .failed(.chunkTooLarge) }
            guard size <= UInt64(Int64.max) >> 4 else { return .failed(.chunkTooLarge) }
            return .chunkSize(size << 4 | UInt64(value), digits: digits + 1)
        }
        guard digits > 0 else { return .failed(.badChunkSize) }
        switch byte {
        case 0x0D: return .chunkSizeLineFeed(size)
        case 0x0A: return .failed(.bareLineFeed)
        case 0x3B: return .chunkExtensionStart(size, lineBytes: 1)
        case 0x20, 0x09: return .chunkBlank(size, lineBytes: 1)
        default: return .failed(.badChunkSize)
        }
    }

    /// White space that §7.1.1 allows before ";" alone: a size that ends in it is refused.
    private mutating func afterBlank(_ size: UInt64, _ lineBytes: UInt16, _ byte: UInt8) -> State {
        guard byte == 0x3B || ByteClass.isBlank(byte) else { return .failed(.badChunkSize) }
        guard lineBytes < Self.extensionLineBytesMax else {
            return .failed(.chunkExtensionTooLong)
        }
        return byte == 0x3B
            ? .chunkExtensionStart(size, lineBytes: lineBytes + 1)
            : .chunkBlank(size, lineBytes: lineBytes + 1)
    }

    /// Behind ";" comes the name of an extension, perhaps after white space (§7.1.1).
    private func afterExtensionStart(
        _ size: UInt64,
        _ lineBytes: UInt16,
        _ byte: UInt8
    ) -> State {
        guard ByteClass.isBlank(byte) || ByteClass.isToken(byte) else {
            return .failed(byte == 0x0A ? .bareLineFeed : .badChunkExtension)
        }
        guard lineBytes < Self.extensionLineBytesMax else {
            return .failed(.chunkExtensionTooLong)
        }
        return ByteClass.isBlank(byte)
            ? .chunkExtensionStart(size, lineBytes: lineBytes + 1)
            : .chunkExtension(size, lineBytes: lineBytes + 1)
    }

    /// What follows may be any visible ASCII and white space: nobody reads it, quoted or not.
    private mutating func afterExtension(
        _ size: UInt64,
        _ lineBytes: UInt16,
        _ byte: UInt8
    ) -> State {
        if byte == 0x0D {
            // The bounds keep this sum far from overflowing.
            extensionBytes += lineBytes
            guard extensionBytes <= Self.extensionBytesMax else {
                return .failed(.chunkExtensionTooLong)
            }
            return .chunkSizeLineFeed(size)
        }
        guard ByteClass.isFieldValue(byte), byte < 0x80 else {
            return .failed(byte == 0x0A ? .bareLineFeed : .badChunkExtension)
        }
        guard lineBytes < Self.extensionLineBytesMax else {
            return .failed(.chunkExtensionTooLong)
        }
        return .chunkExtension(size, lineBytes: lineBytes + 1)
    }

    /// `*( field-line CRLF ) CRLF` (RFC 9112 §7.1.2), under the same rules as in a head.
    private mutating func afterTrailer(_ byte: UInt8) -> State {
        guard trailerBytes < Self.trailerBytesMax else { return .failed(.trailersTooLarge) }
        trailerBytes += 1
        switch state {
        case .trailerStart:
            if byte == 0x0D { return .lastLineFeed }
            guard ByteClass.isToken(byte) else {
                return .failed(byte == 0x0A ? .bareLineFeed : .badTrailer)
            }
            guard trailerLines < Self.trailerLinesMax else { return .failed(.trailersTooLarge) }
            trailerLines += 1
            return .trailerName
        case .trailerName:
            if byte == 0x3A { return .trailerValue }
            return ByteClass.isToken(byte) ? .trailerName : .failed(.badTrailer)
        case .trailerValue:
            if byte == 0x0D { return .trailerLineFeed }
            guard ByteClass.isFieldValue(byte) else {
                return .failed(byte == 0x0A ? .bareLineFeed : .badTrailer)
            }
            return .trailerValue
        case .trailerLineFeed:
            return byte == 0x0A ? .trailerStart : .failed(.bareCarriageReturn)
        default:
            return byte == 0x0A ? .trailersComplete : .failed(.bareCarriageReturn)
        }
    }
}
