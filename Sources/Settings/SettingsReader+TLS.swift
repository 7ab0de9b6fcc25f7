/// The `tls` sections.
extension SettingsReader {
    /// Reads `upstream.tls`.
    mutating func read(_ item: Item, into tls: inout UpstreamTLSSettings) {
        section(item, example: "{ ca: ca.pem }") { reader, key, item in
            switch key {
            case "ca": tls.ca = reader.fileName(item)
            case "server_name":
                tls.serverName = reader.value(item, expected: "a host name") {
                    text throws(Mistake) in try Address.serverName(text)
                }
            case "verify": tls.verify = reader.choice(item, ["true": true, "false": false]) ?? true
            case "certificate": tls.certificate = reader.fileName(item)
            case "key": tls.key = reader.fileName(item)
            default: break
            }
        }
        reportHalf(item.name, tls.certificate, tls.key)
        if tls.ca != nil && !tls.verify, let place = places["upstream.tls.verify"] {
            report("'upstream.tls.ca' is of no use with 'verify: false'", at: place)
        }
    }

    /// Reads `listen.tls`; nil where no certificate could be read.
    mutating func listenTLS(_ item: Item) -> ListenTLSSettings? {
        var tls = ListenTLSSettings()
        var certificate: FileName?
        var key: FileName?
        var clientAuthPlace: Settings.Place?
        let problemCount = problems.count
        section(item, example: "{ certificate: server.pem, key: server.key }") {
            reader,
            name,
            item in
            switch name {
            case "certificate": certificate = reader.fileName(item)
            case "key": key = reader.fileName(item)
            case "certificates": tls.certificates += reader.certificates(item)
            case "client_ca": tls.clientCA = reader.fileName(item)
            case "client_auth":
                let options: KeyValuePairs<String, ListenTLSSettings.ClientAuth?> = [
                    "required": .required, "optional": .optional,
                ]
                tls.clientAuth = reader.choice(item, options) ?? tls.clientAuth
                clientAuthPlace = item.place
            case "min_version":
                let versions: KeyValuePairs<String, ListenTLSSettings.Version?> = [
                    "1.2": .tls12, "1.3": .tls13,
                ]
                tls.minVersion = reader.choice(item, versions) ?? tls.minVersion
            case "ciphers": tls.ciphers = reader.algorithms(item, "ciphers")
            case "curves": tls.curves = reader.algorithms(item, "curves")
            default: break
            }
        }
        reportHalf(item.name, certificate, key)
        if let certificate, let key {
            tls.certificates.insert(CertificateFiles(certificate: certificate, key: key), at: 0)
        }
        if let place = clientAuthPlace, tls.clientCA == nil {
            report("'listen.tls.client_auth' needs a 'client_ca'", at: place)
        }
        if tls.certificates.isEmpty {
            if problems.count == problemCount {
                report("expected a 'certificate' and a 'key' for 'listen.tls'", at: item.place)
            }
            return nil
        }
        return tls
    }

    private mutating func certificates(_ item: Item) -> [CertificateFiles] {
        list(item, of: "certificates (such as { certificate: a.pem, key: a.key })") {
            reader,
            item in
            var certificate: FileName?
            var key: FileName?
            let problemCount = reader.problems.count
            reader.section(item, example: "{ certificate: a.pem, key: a.key }") {
                reader,
                name,
                item in
                switch name {
                case "certificate": certificate = reader.fileName(item)
                default: key = reader.fileName(item)
                }
            }
            reader.reportHalf(item.name, certificate, key)
            guard let certificate, let key else {
                if reader.problems.count == problemCount {
                    let name = "'listen.tls.certificates'"
                    reader.report(
                        "expected a 'certificate' and a 'key' for \(name)",
                        at: item.place
                    )
                }
                return nil
            }
            return CertificateFiles(certificate: certificate, key: key)
        } ?? []
    }

    /// A certificate without a key, or the other way round.
    private mutating func reportHalf(_ name: String, _ certificate: FileName?, _ key: FileName?) {
        if let certificate, key == nil, !hasFailed("\(name).key") {
            report("a 'key' is missing for the certificate", at: certificate.place)
        } else if let key, certificate == nil, !hasFailed("\(name).certificate") {
            report("a 'certificate' is missing for the key", at: key.place)
        }
    }

    private mutating func fileName(_ item: Item) -> FileName? {
        let path = value(item, expected: "the name of a file") { text throws(Mistake) -> String in
            guard !text.isEmpty, text.utf8.count < 4096,
                text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
            else { throw .because(nil) }
            return text
        }
        return path.map { FileName(path: $0, place: item.place) }
    }

    private mutating func algorithms(_ item: Item, _ what: String) -> ListenTLSSettings.Names? {
        let names = list(item, of: what) { reader, item in
            reader.value(item, expected: "a name of OpenSSL's") { text throws(Mistake) in
                guard !text.isEmpty, text.utf8.count <= 64,
                    text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !":,;@!+".utf8.contains($0) })
                else { throw .because(nil) }
                return text
            }
        }
        guard let names else { return nil }
        if case .sequence(let nodes) = item.node.content, nodes.isEmpty {
            reportMismatch(item, expected: "at least one of \(what)", found: "an empty list")
            return nil
        }
        return ListenTLSSettings.Names(names, at: item.place)
    }
}
