/// The classes of bytes in the grammar of HTTP, for one byte at a time.
///
/// The tables are constants of two words, one bit for each ASCII character.
public enum ByteClass {
    /// Whether the byte may stand in a token: a method or a field name (RFC 9110 §5.6.2).
    @inlinable
    @inline(__always)
    public static func isToken(_ byte: UInt8) -> Bool {
        contains(byte, 0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE)
    }

    /// Whether the byte may stand in a field value: visible, SP, HTAB or obs-text (§5.5).
    @inlinable
    @inline(__always)
    public static func isFieldValue(_ byte: UInt8) -> Bool {
        byte >= 0x20 ? byte != 0x7F : byte == 0x09
    }

    /// Whether the byte may stand in a request target: visible ASCII but "#".
    ///
    /// RFC 3986 allows fewer, but browsers send `|`, `"`, `{` and their like as they are.
    @inlinable
    @inline(__always)
    public static func isTarget(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != 0x23
    }

    /// Whether the byte may stand in a registered name (RFC 3986 §3.2.2), but for "%" and ",".
    ///
    /// A comma in Host would become two hosts once it is copied into the list of
    /// `X-Forwarded-Host`, and no name that can be resolved has one.
    @inlinable
    @inline(__always)
    public static func isRegisteredName(_ byte: UInt8) -> Bool {
        contains(byte, 0x2BFF_6FD2_0000_0000, 0x47FF_FFFE_87FF_FFFE)
    }

    /// Whether the byte is white space within a line: SP or HTAB (RFC 9110 §5.6.3).
    @inlinable
    @inline(__always)
    public static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09
    }

    /// Whether the byte is a decimal digit.
    @inlinable
    @inline(__always)
    public static func isDigit(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10
    }

    /// The value of a hexadecimal digit; 16 for any other byte.
    @inlinable
    @inline(__always)
    public static func hexadecimalValue(_ byte: UInt8) -> UInt8 {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : 16
    }

    @inlinable
    @inline(__always)
    static func contains(_ byte: UInt8, _ low: UInt64, _ high: UInt64) -> Bool {
        let word = byte < 0x40 ? low : high
        return byte < 0x80 && word &>> UInt64(byte) & 1 == 1
    }
}

/// The classes of bytes for eight at a time.
///
/// Each function gives a word whose lowest set bit lies in the first byte of the class asked for;
/// zero says that there is none. Bits above the lowest may be wrong (a borrow runs upwards).
public enum WordClass {
    /// The bytes that end a run of field value bytes, HTAB among them.
    @inlinable
    @inline(__always)
    public static func controls(_ word: UInt64) -> UInt64 {
        let below = (word &- 0x2020_2020_2020_2020) & ~word
        return (below | zeros(word ^ 0x7F7F_7F7F_7F7F_7F7F)) & 0x8080_8080_8080_8080
    }

    /// The bytes that end a run of target bytes, and "?", which ends the path.
    @inlinable
    @inline(__always)
    public static func targetStops(_ word: UInt64) -> UInt64 {
        let below = (word &- 0x2121_2121_2121_2121) | word
        let delete = zeros(word ^ 0x7F7F_7F7F_7F7F_7F7F)
        let hash = zeros(word ^ 0x2323_2323_2323_2323)
        let mark = zeros(word ^ 0x3F3F_3F3F_3F3F_3F3F)
        return (below | delete | hash | mark) & 0x8080_8080_8080_8080
    }

    /// The bytes that are not letters, digits or "-": the rare token characters and all others.
    @inlinable
    @inline(__always)
    public static func uncommonInNames(_ word: UInt64) -> UInt64 {
        let low = word & 0x7F7F_7F7F_7F7F_7F7F
        let small = low | 0x2020_2020_2020_2020
        let letters = (small &+ 0x1F1F_1F1F_1F1F_1F1F) & ~(small &+ 0x0505_0505_0505_0505)
        let digits = (low &+ 0x5050_5050_5050_5050) & ~(low &+ 0x4646_4646_4646_4646)
        let hyphens = ~((low ^ 0x2D2D_2D2D_2D2D_2D2D) &+ 0x7F7F_7F7F_7F7F_7F7F)
        return (~(letters | digits | hyphens) | word) & 0x8080_8080_8080_8080
    }

    /// The bytes that are not letters, digits, "-" or ".": what is rare in hosts, and all others.
    @inlinable
    @inline(__always)
    public static func uncommonInHosts(_ word: UInt64) -> UInt64 {
        let low = word & 0x7F7F_7F7F_7F7F_7F7F
        let small = low | 0x2020_2020_2020_2020
        let letters = (small &+ 0x1F1F_1F1F_1F1F_1F1F) & ~(small &+ 0x0505_0505_0505_0505)
        // "/" lies between them, and is taken out.
        let others = (low &+ 0x5353_5353_5353_5353) & ~(low &+ 0x4646_4646_4646_4646)
        let slashes = ~((low ^ 0x2F2F_2F2F_2F2F_2F2F) &+ 0x7F7F_7F7F_7F7F_7F7F)
        return (~(letters | others) | slashes | word) & 0x8080_8080_8080_8080
    }

    @inlinable
    @inline(__always)
    static func zeros(_ word: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101) & ~word
    }
}
