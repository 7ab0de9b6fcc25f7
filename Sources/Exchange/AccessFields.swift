internal import HTTPModel
internal import Memory

/// The field lines that an access line looks at; of several the first counts.
struct AccessFields {
    private(set) var referer: FieldLine?
    private(set) var userAgent: FieldLine?
    private(set) var requestID: FieldLine?
    private var authorization: FieldLine?

    init(_ head: borrowing RequestHead, in input: borrowing Buffer) {
        let bytes = input.bytes
        for index in 0..<head.fields.count {
            let line = head.fields[index]
            switch line.id {
            case .authorization: authorization = authorization ?? line
            case .xRequestID where requestID == nil && RequestIDs.isPassedOn(line, in: bytes):
                requestID = line
            case .other where line.name.count == 7 && referer == nil:
                if equalsIgnoringCase(bytes, line.name, "referer") { referer = line }
            case .other where line.name.count == 10 && userAgent == nil:
                if equalsIgnoringCase(bytes, line.name, "user-agent") { userAgent = line }
            default: break
            }
        }
    }

    /// The user of a sound `Basic` credential (RFC 7617 §2), the name that it has in front of the
    /// colon.
    func user(in input: borrowing Buffer) -> [UInt8]? {
        guard let value = authorization?.value, value.count > 6 else { return nil }
        let bytes = input.bytes
        let scheme = ByteRange(offset: value.start, count: 5)
        guard equalsIgnoringCase(bytes, scheme, "basic"), bytes[value.start + 5] == 0x20 else {
            return nil
        }
        var name: [UInt8] = []
        var word: UInt32 = 0
        var bits = 0
        for place in value.start + 6..<value.end where bytes[place] != 0x20 || bits > 0 {
            guard let digit = Self.base64(bytes[place]) else { return nil }
            word = word << 6 | UInt32(digit)
            bits += 6
            guard bits >= 8 else { continue }
            bits -= 8
            let byte = UInt8(truncatingIfNeeded: word >> UInt32(bits))
            if byte == 0x3A { return name.isEmpty ? nil : name }
            name.append(byte)
        }
        return nil
    }

    private static func base64(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x41...0x5A: byte - 0x41
        case 0x61...0x7A: byte - 0x61 + 26
        case 0x30...0x39: byte - 0x30 + 52
        case 0x2B: 62
        case 0x2F: 63
        default: nil
        }
    }
}
