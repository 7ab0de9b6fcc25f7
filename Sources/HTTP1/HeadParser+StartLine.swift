internal import HTTPModel
internal import Memory

extension HeadParser {
    private static var methodBytesMax: Int { 32 }

    /// `method SP request-target SP HTTP-version CRLF` (RFC 9112 §3).
    @inline(__always)
    func scanRequestLine(
        _ bytes: Span<UInt8>,
        _ head: inout RequestHead
    ) -> Scan {
        let lead = skipEmptyLine(bytes)
        guard case .reached(let start) = lead else { return lead }
        let method = scanMethod(bytes, start)
        guard case .reached(let methodEnd) = method else { return method }
        head.methodRange = ByteRange(offset: start, count: methodEnd &- start)
        head.method = Self.method(bytes, head.methodRange)

        let targetStart = methodEnd &+ 1
        var place = targetStart
        var pathEnd = -1
        while true {
            place = bytes.endOfTargetPart(from: place)
            if place &- targetStart > limits.targetBytes { return .refused(.targetTooLong) }
            if place == bytes.count { return .incomplete }
            guard bytes[place] == 0x3F else { break }
            if pathEnd < 0 { pathEnd = place }
            place &+= 1
        }
        guard bytes[place] == 0x20 else { return .refused(Self.causeInTarget(bytes[place])) }
        if place == targetStart { return .refused(.badStartLine) }
        if pathEnd < 0 { pathEnd = place }
        head.target = ByteRange(offset: targetStart, count: place &- targetStart)

        let scan = Self.scanVersion(bytes, place &+ 1, &head.minorVersion)
        guard case .reached(let versionEnd) = scan else { return scan }
        guard versionEnd < bytes.count else { return .incomplete }
        let line = bytes.endOfLine(at: versionEnd, else: .badVersion)
        guard case .reached = line else { return line }
        // The form is looked at last, so that another protocol's version is named as what it is.
        if let cause = classifyTarget(bytes, pathEnd, &head) { return .refused(cause) }
        return line
    }

    /// RFC 9112 §2.2: one empty line before a request is passed over; not a flood of them.
    @inline(__always)
    private func skipEmptyLine(_ bytes: Span<UInt8>) -> Scan {
        guard bytes.count > 0, bytes[0] == 0x0D else { return .reached(0) }
        return bytes.endOfLine(at: 0, else: .notHTTP)
    }

    /// The place of the space behind the method.
    @inline(__always)
    private func scanMethod(_ bytes: Span<UInt8>, _ start: Int) -> Scan {
        var place = start
        while place < bytes.count, ByteClass.isToken(bytes[place]) {
            place &+= 1
            if place &- start > Self.methodBytesMax { return .refused(.methodTooLong) }
        }
        guard place < bytes.count else { return .incomplete }
        let byte = bytes[place]
        if place > start {
            if byte == 0x20 { return .reached(place) }
            return .refused(byte == 0x0D || byte == 0x0A ? .badStartLine : .badMethod)
        }
        switch byte {
        case 0x0D: return .refused(.emptyLines)
        case 0x0A: return .refused(.bareLineFeed)
        default: return .refused(.notHTTP)
        }
    }

    private static func method(_ bytes: Span<UInt8>, _ range: ByteRange) -> Method {
        // Methods are case-sensitive (RFC 9110 §9.1).
        func equals(_ name: StaticString) -> Bool { bytes.matches(at: range.start, name) }
        return switch range.count {
        case 3: equals("GET") ? .get : equals("PUT") ? .put : .other
        case 4: equals("POST") ? .post : equals("HEAD") ? .head : .other
        case 5: equals("PATCH") ? .patch : equals("TRACE") ? .trace : .other
        case 6: equals("DELETE") ? .delete : .other
        case 7: equals("OPTIONS") ? .options : equals("CONNECT") ? .connect : .other
        default: .other
        }
    }

    private static func causeInTarget(_ byte: UInt8) -> RefusalCause {
        switch byte {
        case 0x0A: .bareLineFeed
        case 0x0D: .badStartLine
        default: .badTarget
        }
    }

    /// `HTTP/1.x` (RFC 9112 §2.3); gives the place behind it.
    @inline(__always)
    private static func scanVersion(
        _ bytes: Span<UInt8>,
        _ start: Int,
        _ minorVersion: inout UInt8
    ) -> Scan {
        if bytes.matches(at: start, "HTTP/1.1") {
            minorVersion = 1
            return .reached(start &+ 8)
        }
        return scanOtherVersion(bytes, start, &minorVersion)
    }

    private static func scanOtherVersion(
        _ bytes: Span<UInt8>,
        _ start: Int,
        _ minorVersion: inout UInt8
    ) -> Scan {
        for index in 0..<8 {
            let place = start &+ index
            guard place < bytes.count else { return .incomplete }
            let byte = bytes[place]
            let isRight =
                switch index {
                case 0: byte == 0x48
                case 1, 2: byte == 0x54
                case 3: byte == 0x50
                case 4: byte == 0x2F
                case 6: byte == 0x2E
                default: ByteClass.isDigit(byte)
                }
            guard isRight else { return .refused(.badVersion) }
            if index == 5, byte != 0x31 { return .refused(.versionNotSupported) }
            if index == 7 { minorVersion = byte == 0x30 ? 0 : 1 }
        }
        return .reached(start &+ 8)
    }

    /// `HTTP-version SP status-code SP [ reason-phrase ] CRLF` (RFC 9112 §4).
    @inline(__always)
    func scanStatusLine(
        _ bytes: Span<UInt8>,
        _ head: inout ResponseHead
    ) -> Scan {
        let scan = Self.scanVersion(bytes, 0, &head.minorVersion)
        guard case .reached(var place) = scan else { return scan }
        guard place < bytes.count else { return .incomplete }
        guard bytes[place] == 0x20 else { return .refused(.badVersion) }
        var status: UInt16 = 0
        for index in 0..<3 {
            place &+= 1
            guard place < bytes.count else { return .incomplete }
            let digit = bytes[place] &- 0x30
            guard digit < 10, index > 0 || digit > 0 else { return .refused(.badStatus) }
            status = status &* 10 &+ UInt16(digit)
        }
        head.status = status
        place &+= 1
        guard place < bytes.count else { return .incomplete }
        guard bytes[place] == 0x20 else {
            // The space must be sent even where no reason follows, but many servers do not.
            head.reason = ByteRange(offset: place, count: 0)
            return bytes.endOfLine(at: place, else: .badStatus)
        }
        let start = place &+ 1
        place = bytes.endOfFieldValue(from: start)
        guard place < bytes.count else { return .incomplete }
        head.reason = ByteRange(offset: start, count: place &- start)
        return bytes.endOfLine(at: place, else: .badStartLine)
    }
}
