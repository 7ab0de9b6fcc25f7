extension SettingsReader {
    /// Reads the list `session.capture`.
    mutating func captureRules(_ item: Item) -> [CaptureRule] {
        let rules = list(item, of: "capture rules") { $0.captureRule($1) } ?? []
        if rules.count > SessionSettings.captureRulesMax {
            let most = SessionSettings.captureRulesMax
            report("expected at most \(most) capture rules, found \(rules.count)", at: item.place)
        }
        return rules
    }

    private mutating func captureRule(_ item: Item) -> CaptureRule? {
        let problemCount = problems.count
        var header: String?
        var cookie: String?
        var pointer: String?
        var on: RequestPattern?
        var keep = false
        var redact = false
        var keys: Set<String> = []
        section(item, example: "{ header: X-Session-ID }") { reader, key, item in
            keys.insert(key)
            switch key {
            case "header":
                let expected = "the name of a response field"
                header = reader.value(item, expected: expected, RequestWords.captureName)
            case "cookie":
                let expected = "the name of a cookie"
                cookie = reader.value(item, expected: expected, RequestWords.backendCookieName)
            case "json":
                let expected = "a JSON pointer (such as /sessionId)"
                pointer = reader.value(item, expected: expected, RequestWords.pointer)
            case "on": on = reader.pattern(item)
            case "keep": keep = reader.flag(item)
            case "redact": redact = reader.flag(item)
            default: break
            }
        }
        // One mistake is enough for a rule: what is missing may stand there misspelt.
        guard problems.count == problemCount, item.node.content != .refused else { return nil }
        if let mistake = Self.mistake(inRuleWith: keys) {
            report(mistake, at: item.place)
            return nil
        }
        if let pointer, let on { return .json(pointer: pointer, on: on, redact: redact) }
        if let cookie { return .cookie(name: cookie, keep: keep) }
        return header.map { .header(name: $0) }
    }

    mutating func flag(_ item: Item) -> Bool {
        choice(item, ["false": false, "true": true]) ?? false
    }

    private static func mistake(inRuleWith keys: Set<String>) -> String? {
        let kinds = ["header", "cookie", "json"].filter(keys.contains)
        guard let kind = kinds.first else {
            return "a capture rule needs 'header', 'cookie' or 'json'"
        }
        if kinds.count > 1 {
            return "a capture rule has 'header', 'cookie' or 'json', one of them"
        }
        for (key, owner) in [("on", "json"), ("redact", "json"), ("keep", "cookie")]
        where keys.contains(key) && kind != owner {
            return "'\(key)' belongs to a rule with '\(owner)'"
        }
        guard kind == "json", !keys.contains("on") else { return nil }
        return "a 'json' rule needs 'on', the request whose answer is looked into"
    }
}
