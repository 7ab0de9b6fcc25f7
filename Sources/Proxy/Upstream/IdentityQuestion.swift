internal import HealthClient
internal import Memory
internal import Settings

/// What is asked to learn who answers (contract 3.1): the same on connections as by the watcher.
struct IdentityQuestion {
    /// The request target.
    let target: String
    /// The fields; those of the configuration are among them, and stand in place of our own.
    private(set) var fields: [IdentityField]

    /// The question for an identity, put to whoever has this authority.
    init(_ identity: IdentitySettings, authority: String) {
        target = identity.path
        let isMetric = identity.from.contains { if case .metric = $0 { true } else { false } }
        fields = [
            IdentityField(name: "Host", value: authority),
            IdentityField(name: "User-Agent", value: "lychgate"),
            IdentityField(
                name: "Accept",
                value: isMetric
                    ? "text/plain;version=0.0.4, */*;q=0.1" : "application/json, */*;q=0.1"
            ),
            // Without it any coding would do (RFC 9110 §12.5.3).
            IdentityField(name: "Accept-Encoding", value: "identity"),
        ]
        for field in identity.fields {
            let name = field.name.lowercased()
            if let index = fields.firstIndex(where: { $0.name.lowercased() == name }) {
                fields[index] = field
            } else {
                fields.append(field)
            }
        }
    }

    /// As it is sent on a connection that is to live on.
    var bytes: [UInt8] {
        let lines = fields.map { "\($0.name): \($0.value)\r\n" }
        return Array(("GET \(target) HTTP/1.1\r\n" + lines.joined() + "\r\n").utf8)
    }

    /// As the health client takes them.
    var healthFields: [HealthField] {
        fields.map { HealthField(name: Array($0.name.utf8), value: Array($0.value.utf8)) }
    }
}
