public import HTTPModel
public import Memory

/// The upgrade of a connection to another protocol (RFC 9110 §7.8), as far as it goes through us.
///
/// What follows a 101 is a tunnel, so any protocol passes but those that would be HTTP again, past
/// all that is checked here: `h2c`, and what else leads to it. They are left out of the offer, and
/// a request that offers nothing else is an ordinary one. So is one with content, which the client
/// may still be sending.
public enum Upgrade {
    /// Whether a request offers something that is passed on.
    public static func isOffered(
        by head: borrowing RequestHead,
        in input: borrowing Buffer
    ) -> Bool {
        guard head.asksUpgrade, head.framing == .none else { return false }
        let bytes = input.bytes
        for index in 0..<head.fields.count where head.fields[index].id == .upgrade {
            var protocols = ListCursor(head.fields[index].value)
            while let name = protocols.next(bytes) {
                if mayPass(bytes, name) { return true }
            }
        }
        return false
    }

    /// Appends the value of `Upgrade` for the backend: what is offered, spelt as the client does.
    static func writeOffer(
        of head: borrowing RequestHead,
        from input: borrowing Buffer,
        into out: inout Buffer
    ) {
        var isFirst = true
        for index in 0..<head.fields.count where head.fields[index].id == .upgrade {
            var protocols = ListCursor(head.fields[index].value)
            while true {
                let bytes = input.bytes
                guard let name = protocols.next(bytes) else { break }
                guard mayPass(bytes, name) else { continue }
                if !isFirst { out.append(", ") }
                out.append(input, from: name.start, count: Int(name.count))
                isFirst = false
            }
        }
    }

    /// Whether a 101 is an answer to a request: it names protocols, and every one was offered.
    public static func isAnswered(
        by response: borrowing ResponseHead,
        in input: borrowing Buffer,
        to request: borrowing RequestHead,
        in requestInput: borrowing Buffer
    ) -> Bool {
        guard response.minorVersion > 0, isOffered(by: request, in: requestInput) else {
            return false
        }
        let bytes = input.bytes
        let offer = requestInput.bytes
        var isAny = false
        for index in 0..<response.fields.count where response.fields[index].id == .upgrade {
            var protocols = ListCursor(response.fields[index].value)
            while let name = protocols.next(bytes) {
                guard contains(request, offer, bytes, name) else { return false }
                isAny = true
            }
        }
        return isAny
    }

    /// Whether a 101 switches to WebSocket (RFC 6455 §4.2.2), and to nothing else.
    public static func isWebSocket(
        _ response: borrowing ResponseHead,
        in input: borrowing Buffer
    ) -> Bool {
        let bytes = input.bytes
        var isIt = false
        for index in 0..<response.fields.count where response.fields[index].id == .upgrade {
            var protocols = ListCursor(response.fields[index].value)
            while let name = protocols.next(bytes) {
                guard !isIt, equalsIgnoringCase(bytes, name, "websocket") else { return false }
                isIt = true
            }
        }
        return isIt
    }

    private static func contains(
        _ request: borrowing RequestHead,
        _ offer: Span<UInt8>,
        _ bytes: Span<UInt8>,
        _ name: ByteRange
    ) -> Bool {
        for index in 0..<request.fields.count where request.fields[index].id == .upgrade {
            var protocols = ListCursor(request.fields[index].value)
            while let offered = protocols.next(offer) {
                guard mayPass(offer, offered), offered.count == name.count else { continue }
                let isSame = (0..<Int(name.count)).allSatisfy { place in
                    offer[offered.start + place].lowercasedASCII
                        == bytes[name.start + place].lowercasedASCII
                }
                if isSame { return true }
            }
        }
        return false
    }

    /// Whether an element is `protocol-name ["/" protocol-version]`, both tokens, and not HTTP.
    private static func mayPass(_ bytes: Span<UInt8>, _ name: ByteRange) -> Bool {
        var slash = name.start
        while slash < name.end, bytes[slash] != 0x2F { slash &+= 1 }
        let first = ByteRange(offset: name.start, count: slash &- name.start)
        guard bytes.isToken(first), !isHTTP(bytes, first) else { return false }
        if slash == name.end { return true }
        return bytes.isToken(ByteRange(offset: slash &+ 1, count: name.end &- slash &- 1))
    }

    /// HTTP under one of its names, or TLS, in which it would go on (RFC 2817).
    private static func isHTTP(_ bytes: Span<UInt8>, _ name: ByteRange) -> Bool {
        equalsIgnoringCase(bytes, name, "h2c") || equalsIgnoringCase(bytes, name, "h2")
            || equalsIgnoringCase(bytes, name, "h3") || equalsIgnoringCase(bytes, name, "http")
            || equalsIgnoringCase(bytes, name, "tls")
    }
}
