public import HTTPModel
public import Memory

/// An entry of `cors.origins`, of which a request says that its page is there.
public struct ListedOrigin: Hashable, Sendable {
    let number: UInt16
}

/// A preflight request (Fetch §3.3.2) that is answered here, and what it asks for.
public struct Preflight: Hashable, Sendable {
    /// Who asks.
    public let origin: ListedOrigin
    /// The method of the request to come; nil if what stands there is none.
    let method: [UInt8]?
    /// The names of its fields, joined anew; nil if there are none, or one of them is no name.
    let fields: [UInt8]?
    /// Whether it goes from a public place to a private one.
    let isToPrivateNetwork: Bool
}

// Who may read the answers that are made here (contract 4.4). Only what the configuration says is
// ever written, and of a preflight tokens within limits: nothing else that a client sends.
extension SessionRules {
    private static let methodBytesMax = 32
    private static let fieldsMax = 64
    private static let fieldBytesMax = 2048
    /// How long a browser may take a preflight's answer for granted.
    private static let preflightAge: StaticString = "600"

    /// The entry of `cors.origins` that a request's page has; nil for every other page.
    ///
    /// `null` is no entry, and what names two origins has none.
    func listedOrigin(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> ListedOrigin? {
        var found: Int?
        for index in 0..<head.fields.count where head.fields[index].id == .origin {
            let value = head.fields[index].value
            let entry = origins.firstIndex { equalsIgnoringCase(bytes, value, $0) }
            guard let entry, found == nil || found == entry else { return nil }
            found = entry
        }
        return found.flatMap { UInt16(exactly: $0) }.map { ListedOrigin(number: $0) }
    }

    /// Appends the field lines that let a page read an answer of our own.
    ///
    /// Every such answer has them: those of a page that is not listed, and of none, say at least
    /// that another page's would differ.
    public func appendCORS(_ origin: ListedOrigin?, to out: inout Buffer) {
        out.append("Vary: Origin\r\n")
        guard appendAllowed(origin, to: &out) else { return }
        out.append("Access-Control-Expose-Headers: X-Session-Cleared, Retry-After\r\n")
    }

    /// Appends the field lines that answer a preflight.
    public func appendCORS(_ preflight: Preflight, to out: inout Buffer) {
        out.append("Vary: Origin, Access-Control-Request-Method, ")
        out.append("Access-Control-Request-Headers\r\n")
        guard appendAllowed(preflight.origin, to: &out) else { return }
        if let method = preflight.method {
            out.append("Access-Control-Allow-Methods: ")
            out.append(method)
            out.append("\r\n")
        }
        if let fields = preflight.fields {
            out.append("Access-Control-Allow-Headers: ")
            out.append(fields)
            out.append("\r\n")
        }
        if preflight.isToPrivateNetwork {
            out.append("Access-Control-Allow-Private-Network: true\r\n")
        }
        out.append("Access-Control-Max-Age: ")
        out.append(Self.preflightAge)
        out.append("\r\n")
    }

    private func appendAllowed(_ origin: ListedOrigin?, to out: inout Buffer) -> Bool {
        guard let origin, Int(origin.number) < origins.count else { return false }
        out.append("Access-Control-Allow-Origin: ")
        out.append(origins[Int(origin.number)])
        out.append("\r\nAccess-Control-Allow-Credentials: true\r\n")
        return true
    }

    // MARK: - Preflights

    /// Whether a browser asks if it may send a request (Fetch, "CORS-preflight request").
    func isPreflight(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
        guard head.method == .options else { return false }
        var hasOrigin = false
        var hasMethod = false
        for index in 0..<head.fields.count {
            let line = head.fields[index]
            if line.id == .origin { hasOrigin = true }
            if equalsIgnoringCase(bytes, line.name, "access-control-request-method") {
                hasMethod = true
            }
        }
        return hasOrigin && hasMethod
    }

    /// The preflight that a request is, if its page is listed.
    ///
    /// It never counts as carrying a session, and no cookie in it is looked at.
    public func preflight(
        _ head: borrowing RequestHead,
        in input: borrowing Buffer
    ) -> Preflight? {
        let bytes = input.bytes
        guard isPreflight(head, bytes), let origin = listedOrigin(head, bytes) else { return nil }
        var method: [UInt8]?
        var fields: [UInt8]? = []
        var isToPrivateNetwork = false
        var fieldCount = 0
        for index in 0..<head.fields.count {
            let line = head.fields[index]
            if equalsIgnoringCase(bytes, line.name, "access-control-request-method") {
                // Said twice, none is meant.
                let isFirst = method == nil
                method = isFirst ? Self.method(bytes, line.value) : []
            } else if equalsIgnoringCase(bytes, line.name, "access-control-request-headers") {
                fields = fields.flatMap { Self.join($0, bytes, line.value, &fieldCount) }
            } else if equalsIgnoringCase(
                bytes,
                line.name,
                "access-control-request-private-network"
            ) {
                isToPrivateNetwork = equalsIgnoringCase(bytes, line.value, "true")
            }
        }
        return Preflight(
            origin: origin,
            method: method?.isEmpty == false ? method : nil,
            fields: fields?.isEmpty == false ? fields : nil,
            isToPrivateNetwork: isToPrivateNetwork
        )
    }

    private static func method(_ bytes: Span<UInt8>, _ value: ByteRange) -> [UInt8] {
        guard value.count <= methodBytesMax, bytes.isToken(value) else { return [] }
        return (value.start..<value.end).map { bytes[$0] }
    }

    /// Adds the names of a line; nil where one is none, or they are too many.
    private static func join(
        _ names: [UInt8],
        _ bytes: Span<UInt8>,
        _ value: ByteRange,
        _ count: inout Int
    ) -> [UInt8]? {
        var names = names
        var cursor = ListCursor(value)
        while let name = cursor.next(bytes) {
            count += 1
            guard count <= fieldsMax, bytes.isToken(name),
                names.count + Int(name.count) + 2 <= fieldBytesMax
            else { return nil }
            if !names.isEmpty { names += [0x2C, 0x20] }
            for place in name.start..<name.end { names.append(bytes[place]) }
        }
        return names
    }

    // MARK: - A hint

    /// The entry of `cors.origins` for want of which a browser hides an answer of our own from the
    /// page that asked; nil where it hides nothing, or there is no origin to name.
    public func hiddenFrom(
        _ head: borrowing RequestHead,
        in input: borrowing Buffer
    ) -> String? {
        // What an upgrade is answered, a browser shows to nobody.
        guard !head.asksUpgrade, isForeign(head, input.bytes) else { return nil }
        return missingOrigin(head, in: input)
    }
}
