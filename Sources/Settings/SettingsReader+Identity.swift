/// Where the instance ID comes from, and how it is asked for.
extension SettingsReader {
    mutating func sources(_ item: Item) -> [IdentitySource] {
        let sources = list(item, of: "identity sources (such as json:/startedAt)") { reader, item in
            reader.value(
                item,
                expected: IdentitySource.expected,
                hint: "no blank follows the colon: json:/pointer",
                IdentitySource.init(parsing:)
            )
        }
        if case .sequence(let nodes) = item.node.content, nodes.isEmpty {
            reportMismatch(item, expected: "at least one identity source", found: "an empty list")
        }
        return sources ?? []
    }

    mutating func readURL(_ item: Item, into identity: inout IdentitySettings) {
        let expected = "a URL with its path (such as http://127.0.0.1:9001/health)"
        let found = value(item, expected: expected, IdentitySettings.Elsewhere.parse)
        guard let found else { return }
        identity.elsewhere = found.place
        identity.path = found.path
    }

    /// The fields of `identity.headers`; what they are set to stands in no message.
    mutating func identityFields(_ item: Item) -> [IdentityField] {
        let expected = "a mapping of fields (such as {})"
        var fields: [IdentityField] = []
        for entry in entries(item, expected: expected) ?? [] {
            if let reason = RequestWords.flaw(ofIdentityField: entry.key) {
                report("\(Wording.quoted(entry.key)) \(reason)", at: entry.place)
            } else if fields.contains(where: { $0.name.lowercased() == entry.key.lowercased() }) {
                report("\(Wording.quoted(entry.key)) stands there twice", at: entry.place)
            } else if let value = fieldValue(entry) {
                fields.append(IdentityField(name: entry.key, value: value))
            }
        }
        let size = fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        if size > IdentityField.bytesMax {
            let most = Wording.size(IdentityField.bytesMax)
            report("the fields of 'identity.headers' are longer than \(most)", at: item.place)
        }
        return fields
    }

    private mutating func fieldValue(_ entry: Settings.Node.Entry) -> String? {
        let name = "identity.headers.\(entry.key)"
        let item = Item(name: name, node: entry.value)
        guard let (text, _) = scalar(item, expected: "a value") else { return nil }
        let isValue = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        guard isValue, !text.isEmpty, !text.hasPrefix(" "), !text.hasSuffix(" ") else {
            report(
                "the value of '\(name)' is empty, begins or ends with a blank, "
                    + "or has control characters",
                at: item.place
            )
            return nil
        }
        return text
    }

    /// What no single key of the section tells.
    mutating func checkIdentity(_ settings: Settings) {
        let identity = settings.identity
        if let place = places["identity.url"] {
            if identity.verify != .watch, !hasFailed("identity.verify") {
                report(
                    "'identity.url' needs 'identity.verify: watch': an answer from there does not "
                        + "say who is at the other end of a connection to the upstream",
                    at: place
                )
            }
            if places["identity.path"] != nil {
                report("'identity.url' has the path: leave 'identity.path' out", at: place)
            }
        }
        if identity.verify == .watch, identity.instances == .multi,
            let place = places["identity.instances"]
        {
            report("several instances need 'identity.verify: connection'", at: place)
        }
        let carrier = settings.session.carrierHeader.lowercased()
        if settings.session.carrierCookie == nil, let place = places["identity.headers"],
            identity.fields.contains(where: { $0.name.lowercased() == carrier })
        {
            report("'identity.headers' has the session's field: the question has none", at: place)
        }
    }
}

extension IdentityField {
    /// Of all fields together.
    static var bytesMax: Int { 16 * 1024 }
}

extension IdentitySource {
    /// What a source looks like, for messages.
    static let expected = "an identity source (json:/pointer, header:NAME or metric:NAME)"

    /// `json:/pointer`, `header:NAME` or `metric:NAME`.
    init(parsing text: String) throws(Mistake) {
        let kind = text.prefix { $0 != ":" }
        let rest = String(text.dropFirst(kind.count + 1))
        switch kind {
        case "json": self = .json(pointer: try RequestWords.pointer(rest))
        case "header": self = .header(name: try RequestWords.identityFieldName(rest))
        case "metric": self = .metric(name: try RequestWords.metricName(rest))
        default:
            throw .because("it begins with 'json:', 'header:' or 'metric:'")
        }
    }
}

extension IdentitySettings.Elsewhere {
    /// `http[s]://host[:port]/path`.
    static func parse(
        _ text: String
    ) throws(Mistake) -> (place: IdentitySettings.Elsewhere, path: String) {
        let scheme = text.prefix { $0 != ":" }.lowercased()
        let isSecure = scheme == "https"
        guard isSecure || scheme == "http", text.dropFirst(scheme.count).hasPrefix("://") else {
            throw .because("it begins with http:// or https://")
        }
        let rest = text.dropFirst(scheme.count + 3)
        let authority = rest.prefix { $0 != "/" }
        guard !authority.contains("@") else {
            throw .because("a user name stands in 'identity.headers', in Authorization")
        }
        guard authority.endIndex != rest.endIndex else { throw .because("the path is missing") }
        let path = try RequestWords.target(String(rest[authority.endIndex...]))
        let address = try Address.hostAndPort(authority, defaultPort: isSecure ? 443 : 80)
        return (.init(address: address, isSecure: isSecure), path)
    }
}

extension RequestWords {
    /// The name of a response field that tells the instance.
    static func identityFieldName(_ text: String) throws(Mistake) -> String {
        guard isToken(text) else { throw .because("it is not a field name") }
        let name = text.lowercased()
        guard !framing.contains(name), !["age", "date", "set-cookie"].contains(name) else {
            throw .because("this field says nothing of who answers")
        }
        return text
    }

    /// The name of a metric, without labels.
    static func metricName(_ text: String) throws(Mistake) -> String {
        let isName = text.utf8.allSatisfy { byte in
            (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x3A)
                || byte == UInt8(ascii: "_")
        }
        guard isName, !text.isEmpty, !text.utf8.prefix(1).contains(where: { $0 < 0x3A }),
            text.utf8.count <= byteCountMax
        else {
            throw .because("a metric is named by letters, digits, '_' and ':', without labels")
        }
        return text
    }

    /// Why a field cannot be one of the identity question, if it cannot.
    static func flaw(ofIdentityField text: String) -> String? {
        guard isToken(text) else { return "is not a field name" }
        let name = text.lowercased()
        if framing.contains(name) || name == "expect" {
            return "is about the connection and its messages: Lychgate sets it"
        }
        return name == "accept-encoding" ? "is set by Lychgate: it reads plain answers alone" : nil
    }
}
