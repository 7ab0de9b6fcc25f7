internal import HTTPModel
internal import Memory

extension HeadParser {
    /// Tells the form of the target (RFC 9112 §3.2) and its parts; nil if it is a right one.
    ///
    /// `pathEnd` is the place of the first "?", or else of the target's end.
    @inline(__always)
    func classifyTarget(
        _ bytes: Span<UInt8>,
        _ pathEnd: Int,
        _ head: inout RequestHead
    ) -> RefusalCause? {
        let target = head.target
        head.authority = .empty
        guard bytes[target.start] == 0x2F, head.method != .connect else {
            return classifyOtherTarget(bytes, pathEnd, &head)
        }
        head.targetForm = .origin
        head.pathAndQuery = target
        head.path = ByteRange(offset: target.start, count: pathEnd &- target.start)
        return nil
    }

    private func classifyOtherTarget(
        _ bytes: Span<UInt8>,
        _ pathEnd: Int,
        _ head: inout RequestHead
    ) -> RefusalCause? {
        let target = head.target
        if head.method == .connect {
            // §3.2.3: host and port, nothing else, and only here.
            guard Authority(bytes, target)?.port != nil else {
                return .badTargetForm
            }
            head.targetForm = .authority
            head.authority = target
            head.pathAndQuery = ByteRange(offset: target.end, count: 0)
            head.path = head.pathAndQuery
            return nil
        }
        if target.count == 1, bytes[target.start] == 0x2A {
            guard head.method == .options else { return .badTargetForm }
            head.targetForm = .asterisk
            head.pathAndQuery = target
            head.path = target
            return nil
        }
        var start = target.start
        if bytes.matchesIgnoringCase(at: start, "http://") {
            start &+= 7
        } else if bytes.matchesIgnoringCase(at: start, "https://") {
            start &+= 8
        } else {
            return .badTargetForm
        }
        guard start <= target.end else { return .badTargetForm }
        var end = start
        while end < pathEnd, bytes[end] != 0x2F {
            end &+= 1
        }
        let authority = ByteRange(offset: start, count: end &- start)
        guard Authority(bytes, authority) != nil else { return .badTarget }
        head.targetForm = .absolute
        head.authority = authority
        head.pathAndQuery = ByteRange(offset: end, count: target.end &- end)
        head.path = ByteRange(offset: end, count: pathEnd &- end)
        return nil
    }

    /// RFC 9112 §3.2: one Host, with a sound value; and equal to the target's authority.
    ///
    /// §3.2.2 lets the target win over Host. A backend or a log that looks at the other one would
    /// see another site than the proxy, so that two that differ are refused.
    @inline(__always)
    func checkHost(
        _ bytes: Span<UInt8>,
        _ facts: FieldFacts,
        _ head: inout RequestHead
    ) -> RefusalCause? {
        guard facts.has(.host), let line = head.fields.first(.host) else {
            return head.minorVersion > 0 ? .hostMissing : nil
        }
        if facts.hasSeveral(.host) { return .hostRepeated }
        guard Authority(bytes, line.value) != nil else { return .badHost }
        switch head.targetForm {
        case .origin, .asterisk: head.authority = line.value
        case .absolute, .authority:
            // What Host says beside it does not count (RFC 9112 §3.2.2).
            guard Authority(bytes, head.authority) != nil else { return .badTarget }
        }
        return nil
    }
}

/// `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2), without user information.
struct Authority {
    /// The port; nil where none is given.
    let port: Int?

    /// Checks an authority; nil if it is unsound, as one without a host is (RFC 9110 §4.2.1).
    init?(_ bytes: Span<UInt8>, _ range: ByteRange) {
        let start = range.start
        let end = range.end
        guard start < end else { return nil }
        let hostEnd =
            bytes[start] == 0x5B
            ? Self.endOfLiteral(bytes, start, end) : Self.endOfName(bytes, start, end)
        guard let hostEnd, hostEnd > start else { return nil }
        guard hostEnd < end else {
            port = nil
            return
        }
        guard bytes[hostEnd] == 0x3A else { return nil }
        var number = 0
        for place in hostEnd &+ 1..<end {
            guard ByteClass.isDigit(bytes[place]) else { return nil }
            number = number &* 10 &+ Int(bytes[place] &- 0x30)
            guard number < 65_536 else { return nil }
        }
        port = hostEnd &+ 1 < end ? number : nil
    }

    /// Where a registered name or an IPv4 address ends; nil if an escape in it is unsound.
    private static func endOfName(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        var place = start
        while let word = bytes.word(at: place) {
            let stops = WordClass.uncommonInHosts(word)
            place &+= stops == 0 ? 8 : stops.trailingZeroBitCount &>> 3
            if stops != 0 || place >= end { break }
        }
        place = min(place, end)
        while true {
            while place < end, ByteClass.isRegisteredName(bytes[place]) {
                place &+= 1
            }
            guard place < end, bytes[place] == 0x25 else { return place }
            guard place &+ 2 < end, ByteClass.hexadecimalValue(bytes[place &+ 1]) < 16,
                ByteClass.hexadecimalValue(bytes[place &+ 2]) < 16
            else { return nil }
            place &+= 3
        }
    }

    /// Where an address in brackets ends (RFC 3986 §3.2.2); nil if it is unsound.
    ///
    /// An IPv6 address is looked at for its characters and for two colons only: whether it can be
    /// reached is nothing that the proxy needs to know.
    private static func endOfLiteral(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        var place = start &+ 1
        var colons = 0
        while place < end, bytes[place] != 0x5D {
            let byte = bytes[place]
            guard byte == 0x3A || byte == 0x2E || ByteClass.hexadecimalValue(byte) < 16 else {
                return nil
            }
            if byte == 0x3A { colons &+= 1 }
            place &+= 1
        }
        return place < end && colons >= 2 ? place &+ 1 : nil
    }
}
