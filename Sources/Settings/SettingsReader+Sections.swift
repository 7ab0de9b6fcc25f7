extension SettingsReader {
    /// Reads the whole file.
    mutating func settings(_ root: Settings.Node) -> Settings {
        var settings = preset(root) ?? Settings()
        section(Item(name: "", node: root), example: "'upstream: http://127.0.0.1:8000'") {
            reader,
            key,
            item in reader.read(key, item, into: &settings)
        }
        return settings
    }

    private mutating func read(_ key: String, _ item: Item, into settings: inout Settings) {
        switch key {
        case "listen": settings.listen = listen(item)
        case "upstream": read(item, into: &settings.upstream)
        case "identity": read(item, into: &settings.identity)
        case "session": read(item, into: &settings.session)
        case "jar": read(item, into: &settings.jar)
        case "stale": read(item, into: &settings.stale)
        case "cors": read(item, into: &settings.cors)
        case "limits": read(item, into: &settings.limits)
        case "timeouts": read(item, into: &settings.timeouts)
        case "admin": readAdmin(item)
        case "log": read(item, into: &settings.log)
        case "trusted_proxies": settings.trustedProxies = trustedProxies(item)
        case "via": settings.via = via(item)
        case "shutdown":
            section(item, example: "{ grace: 10s }") { reader, _, item in
                reader.set(&settings.shutdownGrace, item, in: .zero...(.seconds(3600)))
            }
        case "workers": settings.workers = workers(item)
        default: break
        }
    }

    // MARK: listen and upstream

    private mutating func listen(_ item: Item) -> [ListenSettings] {
        var found: [(listener: ListenSettings, place: Settings.Place)] = []
        if case .sequence(let nodes) = item.node.content {
            for node in nodes {
                if let listener = listener(Item(name: item.name, node: node)) {
                    found.append((listener, node.place))
                }
            }
            if nodes.isEmpty {
                let expected = "at least one address"
                reportMismatch(item, expected: expected, found: "an empty list")
            }
        } else if let listener = listener(item) {
            found.append((listener, item.place))
        }
        var seen: Set<Address> = []
        for (listener, place) in found where !seen.insert(listener.address.canonical).inserted {
            report("this address is listened on twice", at: place)
        }
        return found.map(\.listener)
    }

    private mutating func listener(_ item: Item) -> ListenSettings? {
        guard case .mapping = item.node.content else {
            return address(item).map { ListenSettings(address: $0) }
        }
        let problemCount = problems.count
        var address: Address?
        var tls: ListenTLSSettings?
        section(item, example: "{ address: 0.0.0.0:8080 }") { reader, key, item in
            switch key {
            case "address": address = reader.address(item)
            case "tls": tls = reader.listenTLS(item)
            case "http2": reader.onlyFalse(item)
            default: break
            }
        }
        if address == nil && problems.count == problemCount {
            report("expected an 'address' for 'listen', found none", at: item.place)
        }
        return address.map { address in
            var settings = ListenSettings(address: address)
            settings.tls = tls
            return settings
        }
    }

    private mutating func address(_ item: Item) -> Address? {
        value(item, expected: Address.expected, Address.init(parsing:))
    }

    private mutating func read(_ item: Item, into upstream: inout UpstreamSettings) {
        guard case .mapping = item.node.content else {
            let expected = Address.expectedURL + " or a mapping"
            note("upstream.url", at: item.place)
            if let url = value(item, expected: expected, UpstreamURL.init(parsing:)) {
                upstream.take(url)
            }
            return
        }
        let problemCount = problems.count
        let anyWait = Duration.milliseconds(1)...(.seconds(7 * 86_400))
        var url: UpstreamURL?
        section(item, example: "{ url: http://127.0.0.1:8000 }") { reader, key, item in
            switch key {
            case "url":
                url = reader.value(item, expected: Address.expectedURL, UpstreamURL.init(parsing:))
            case "connect_timeout": reader.set(&upstream.connectTimeout, item, in: anyWait)
            case "response_timeout": reader.set(&upstream.responseTimeout, item, in: anyWait)
            case "idle_timeout": reader.set(&upstream.idleTimeout, item, in: anyWait)
            case "max_connections": reader.set(&upstream.maxConnections, item, in: 1...65_535)
            case "queue_timeout": reader.set(&upstream.queueTimeout, item, in: anyWait)
            case "hold": reader.readHold(item, into: &upstream)
            case "tls":
                reader.read(item, into: &upstream.tlsSettings)
            default: break
            }
        }
        if let url { upstream.take(url) }
        // One mistake is enough: the URL may stand there misspelt.
        if places["upstream.url"] == nil && problems.count > problemCount {
            note("upstream.url", at: item.place)
        }
    }

    private mutating func readHold(_ item: Item, into upstream: inout UpstreamSettings) {
        if isWord("off", item) { return }
        var hold = Duration.seconds(10)
        set(&hold, item, in: .milliseconds(1)...(.seconds(3600)), or: "'off'")
        upstream.hold = hold
    }

    // MARK: jar, stale, limits, timeouts

    private mutating func read(_ item: Item, into jar: inout JarSettings) {
        section(item, example: "{ capacity: 100000 }") { reader, key, item in
            switch key {
            case "store":
                let stores: KeyValuePairs<String, Void?> = [
                    "memory": (), "sqlite": nil, "redis": nil, "cookie": nil,
                ]
                _ = reader.choice(item, stores)
            case "capacity": reader.set(&jar.capacity, item, in: 1...100_000_000)
            case "tombstones": reader.set(&jar.tombstones, item, in: 1...100_000_000)
            default: break
            }
        }
    }

    private mutating func read(_ item: Item, into stale: inout StaleSettings) {
        section(item, example: "{ status: 401 }") { reader, key, item in
            switch key {
            case "status":
                var status = Int(stale.status)
                reader.set(&status, item, in: 400...499)
                stale.status = UInt16(clamping: status)
            case "format":
                let formats: KeyValuePairs<String, StaleSettings.Format?> = [
                    "json": .json, "json-rpc": .jsonRPC,
                ]
                stale.format = reader.choice(item, formats) ?? stale.format
            case "reason":
                stale.reason = reader.sentence(item, byteCountMax: 128) ?? stale.reason
            case "message":
                stale.message = reader.sentence(item, byteCountMax: 1024) ?? stale.message
            case "pages": stale.pages = reader.pages(item) ?? stale.pages
            default: break
            }
        }
    }

    private mutating func sentence(_ item: Item, byteCountMax: Int) -> String? {
        value(item, expected: "a text") { text throws(Mistake) in
            try RequestWords.sentence(text, byteCountMax: byteCountMax)
        }
    }

    private mutating func pages(_ item: Item) -> StaleSettings.Pages? {
        let expected = "'pass', 'answer' or a path (such as /login)"
        return value(item, expected: expected) { text throws(Mistake) in
            switch text {
            case "pass": .pass
            case "answer": .answer
            default: .redirect(to: try RequestWords.place(text))
            }
        }
    }

    private mutating func read(_ item: Item, into limits: inout LimitSettings) {
        section(item, example: "{ header_count: 100 }") { reader, key, item in
            switch key {
            case "header_bytes":
                reader.setSize(&limits.headerBytes, item, in: 1024...1 << 20)
            case "header_count": reader.set(&limits.headerCount, item, in: 1...10_000)
            case "target_bytes": reader.setSize(&limits.targetBytes, item, in: 64...1 << 20)
            case "body_bytes": reader.readBodyBytes(item, into: &limits)
            case "connections": reader.set(&limits.connections, item, in: 1...10_000_000)
            default: break
            }
        }
    }

    private mutating func readBodyBytes(_ item: Item, into limits: inout LimitSettings) {
        if isWord("off", item) { return }
        var size = 1 << 20
        setSize(&size, item, in: 1...1 << 40, or: "'off'")
        limits.bodyBytes = size
    }

    private mutating func read(_ item: Item, into timeouts: inout TimeoutSettings) {
        let range = Duration.milliseconds(1)...(.seconds(7 * 86_400))
        section(item, example: "{ header: 10s }") { reader, key, item in
            switch key {
            case "header": reader.set(&timeouts.header, item, in: range)
            case "body_idle": reader.set(&timeouts.bodyIdle, item, in: range)
            case "keepalive": reader.set(&timeouts.keepalive, item, in: range)
            case "write_idle": reader.set(&timeouts.writeIdle, item, in: range)
            default: break
            }
        }
    }

    // MARK: log, trusted_proxies, via, workers, and what is still to come

    private mutating func read(_ item: Item, into log: inout LogSettings) {
        section(item, example: "{ level: info }") { reader, key, item in
            switch key {
            case "level":
                let levels: KeyValuePairs<String, LogSettings.Level?> = [
                    "debug": .debug, "info": .info, "warning": .warning, "error": .error,
                ]
                log.level = reader.choice(item, levels) ?? log.level
            case "format":
                let formats: KeyValuePairs<String, LogSettings.Format?> = [
                    "text": .text, "json": .json,
                ]
                log.format = reader.choice(item, formats) ?? log.format
            case "access":
                let forms: KeyValuePairs<String, LogSettings.Access?> = [
                    "off": .off, "common": .common, "combined": .combined, "json": .json,
                ]
                log.access = reader.choice(item, forms) ?? log.access
            default: break
            }
        }
    }

    private mutating func trustedProxies(_ item: Item) -> [AddressBlock] {
        list(item, of: "addresses and CIDR blocks") { reader, item in
            reader.value(item, expected: AddressBlock.expected, AddressBlock.init(parsing:))
        } ?? []
    }

    private mutating func via(_ item: Item) -> String? {
        // In quotes it is a name like others.
        if item.node.content != .scalar(text: "off", isQuoted: true), isWord("off", item) {
            return nil
        }
        return value(item, expected: "a name or 'off'") { text throws(Mistake) in
            guard RequestWords.isToken(text), text.utf8.count <= 64 else {
                throw .because("a name is at most 64 letters, digits, '-', '_' and '.'")
            }
            return text
        }
    }

    private mutating func workers(_ item: Item) -> Int? {
        if isWord("auto", item) { return nil }
        return number(item, in: 1...256, expected: "'auto' or a number from 1 to 256")
    }

    private mutating func read(_ item: Item, into cors: inout CORSSettings) {
        section(item, example: "{ origins: [] }") { reader, key, item in
            switch key {
            case "origins":
                let expected = "an origin (such as https://app.example)"
                cors.origins =
                    reader.list(item, of: "origins") { reader, item in
                        reader.value(item, expected: expected, RequestWords.origin)
                    } ?? []
            default:
                cors.answersPreflights =
                    reader.choice(item, ["pass": false, "answer": true]) ?? false
            }
        }
    }

    private mutating func readAdmin(_ item: Item) {
        if isWord("off", item) { return }
        section(item, example: "{ listen: off, probes: off }") { reader, _, item in
            reader.onlyOff(item)
        }
    }

    /// Reads a switch that can only be off for now.
    mutating func onlyFalse(_ item: Item) {
        let switches: KeyValuePairs<String, Void?> = ["false": (), "true": nil]
        _ = choice(item, switches)
    }
}
