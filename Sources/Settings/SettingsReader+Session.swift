extension SettingsReader {
    // MARK: identity

    /// Reads the section `identity`.
    mutating func read(_ item: Item, into identity: inout IdentitySettings) {
        section(item, example: "{ path: /health }") { reader, key, item in
            switch key {
            case "path":
                identity.path =
                    reader.value(item, expected: "a path (such as /health)", RequestWords.target)
                    ?? identity.path
            case "url": reader.readURL(item, into: &identity)
            case "from": identity.from = reader.sources(item)
            case "verify":
                let ways: KeyValuePairs<String, IdentitySettings.Verify?> = [
                    "connection": .connection, "watch": .watch,
                ]
                identity.verify = reader.choice(item, ways) ?? identity.verify
            case "instances":
                let ways: KeyValuePairs<String, IdentitySettings.Instances?> = [
                    "auto": .auto, "single": .single, "multi": .multi,
                ]
                identity.instances = reader.choice(item, ways) ?? identity.instances
            case "max_probes": reader.set(&identity.maxProbes, item, in: 1...1024)
            case "grace":
                reader.set(&identity.grace, item, in: .zero...(.seconds(3600)))
            case "interval":
                reader.set(&identity.interval, item, in: .milliseconds(10)...(.seconds(3600)))
            case "timeout":
                reader.set(&identity.timeout, item, in: .milliseconds(1)...(.seconds(3600)))
            case "augment": identity.augment = reader.flag(item)
            case "unverified":
                let policies: KeyValuePairs<String, IdentitySettings.Unverified?> = [
                    "refuse": .refuse, "forward": .forward,
                ]
                identity.unverified = reader.choice(item, policies) ?? identity.unverified
            case "headers": identity.fields = reader.identityFields(item)
            default: break
            }
        }
    }

    // MARK: session

    /// Reads the section `session`.
    mutating func read(_ item: Item, into session: inout SessionSettings) {
        section(item, example: "{ max_age: 7d }") { reader, key, item in
            switch key {
            case "carrier": reader.readCarrier(item, into: &session)
            case "client_header":
                let ways: KeyValuePairs<String, SessionSettings.ClientHeader?> = [
                    "track": .track, "strip": .strip, "reject": .reject,
                ]
                session.clientHeader = reader.choice(item, ways) ?? session.clientHeader
            case "client_unknown":
                let ways: KeyValuePairs<String, SessionSettings.ClientUnknown?> = [
                    "forward": .forward, "refuse": .refuse,
                ]
                session.clientUnknown = reader.choice(item, ways) ?? session.clientUnknown
            case "cookie": reader.readCookie(item, into: &session)
            case "idle_timeout":
                reader.set(&session.idleTimeout, item, in: .seconds(1)...(.seconds(400 * 86_400)))
            case "max_age":
                // Browsers keep no cookie for longer than 400 days.
                reader.set(&session.maxAge, item, in: .seconds(1)...(.seconds(400 * 86_400)))
            case "capture": session.capture = reader.captureRules(item)
            case "end": session.end = reader.endRules(item)
            case "exempt": session.exempt = reader.patterns(item)
            case "required": session.required = reader.patterns(item)
            case "cross_site":
                let ways: KeyValuePairs<String, SessionSettings.CrossSite?> = [
                    "refuse": .refuse, "allow": .allow,
                ]
                session.crossSite = reader.choice(item, ways) ?? session.crossSite
            case "endpoints":
                reader.setPath(&session.endpoints, item, RequestWords.endpoints)
            case "status_path":
                reader.setPath(&session.statusPath, item, RequestWords.path)
            default: break
            }
        }
    }

    /// Reads a path or `off`.
    private mutating func setPath(
        _ path: inout String?,
        _ item: Item,
        _ parse: (String) throws(Mistake) -> String
    ) {
        if isWord("off", item) {
            path = nil
        } else {
            path = value(item, expected: "a path or 'off'", parse) ?? path
        }
    }

    private mutating func readCarrier(_ item: Item, into session: inout SessionSettings) {
        var keys: Set<String> = []
        section(item, example: "{ header: X-Session-ID }") { reader, key, item in
            keys.insert(key)
            if key == "cookie" {
                let expected = "the name of a cookie"
                session.carrierCookie =
                    reader.value(item, expected: expected, RequestWords.backendCookieName)
            } else {
                let expected = "the name of a field"
                session.carrierHeader =
                    reader.value(item, expected: expected, RequestWords.carrierName)
                    ?? session.carrierHeader
            }
        }
        if keys.count > 1 {
            report("'session.carrier' has 'header' or 'cookie', not both", at: item.place)
        }
    }

    private mutating func readCookie(_ item: Item, into session: inout SessionSettings) {
        session.hasJarCookies = !isWord("off", item)
        guard session.hasJarCookies else { return }
        section(item, example: "{ name: lychgate }") { reader, key, item in
            reader.read(key, item, into: &session.cookie)
        }
    }

    private mutating func read(
        _ key: String,
        _ item: Item,
        into cookie: inout SessionSettings.Cookie
    ) {
        typealias Cookie = SessionSettings.Cookie
        switch key {
        case "name":
            let expected = "the name of a cookie"
            cookie.name = value(item, expected: expected, RequestWords.cookieName) ?? cookie.name
        case "same_site":
            let values: KeyValuePairs<String, Cookie.SameSite?> = [
                "lax": .lax, "strict": .strict, "none": Cookie.SameSite.none,
            ]
            cookie.sameSite = choice(item, values) ?? cookie.sameSite
        case "secure":
            let values: KeyValuePairs<String, Cookie.Secure?> = [
                "auto": .auto, "always": .always, "never": .never,
            ]
            cookie.secure = choice(item, values) ?? cookie.secure
        default: break
        }
    }

    private mutating func endRules(_ item: Item) -> [RequestPattern] {
        list(item, of: "rules (such as 'on: POST /api/disconnect')") { reader, item in
            var on: RequestPattern?
            let problemCount = reader.problems.count
            reader.section(item, example: "'on: POST /api/disconnect'") { reader, _, item in
                on = reader.pattern(item)
            }
            if on == nil && reader.problems.count == problemCount && item.node.content != .refused {
                reader.report("an end rule needs 'on'", at: item.place)
            }
            return on
        } ?? []
    }

    private mutating func patterns(_ item: Item) -> [RequestPattern] {
        list(item, of: "request patterns (such as /health)") { reader, item in
            reader.pattern(item)
        } ?? []
    }

    mutating func pattern(_ item: Item) -> RequestPattern? {
        value(item, expected: RequestPattern.expected, RequestPattern.init(parsing:))
    }
}
