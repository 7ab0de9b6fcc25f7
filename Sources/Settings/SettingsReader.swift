/// Reads values out of nodes and collects every problem on the way.
///
/// What cannot be read is reported and passed over, so that one reading finds everything that is
/// wrong with a file. The values of a file with problems are never used.
struct SettingsReader {
    /// A value and its full name, such as `session.max_age`.
    struct Item {
        let name: String
        let node: Settings.Node
        var place: Settings.Place { node.place }
    }

    /// Everything that is wrong, so far.
    private(set) var problems: [Settings.Problem] = []
    /// Where the values of all keys that were given begin, by their full names.
    private(set) var places: [String: Settings.Place] = [:]
    /// The keys whose values could not be read.
    private var failed: Set<String> = []
    private let environment: (String) -> String?

    init(environment: @escaping (String) -> String?) {
        self.environment = environment
    }

    // MARK: Keys

    /// Notes that a key was given although it does not stand in the file in full.
    mutating func note(_ name: String, at place: Settings.Place) {
        places[name] = place
    }

    /// Whether a key was given something that could not be read.
    func hasFailed(_ name: String) -> Bool {
        failed.contains(name)
    }

    /// Where the value of a key begins, if it was given and could be read.
    func goodPlace(of name: String) -> Settings.Place? {
        failed.contains(name) ? nil : places[name]
    }

    // MARK: Problems

    /// Adds a problem.
    mutating func report(_ message: @autoclosure () -> String, at place: Settings.Place) {
        guard problems.count < Settings.Problems.countMax else { return }
        problems.append(Settings.Problem(message(), at: place))
    }

    /// Adds that something else was expected.
    mutating func reportMismatch(
        _ item: Item,
        expected: String,
        found: String,
        hint: String? = nil
    ) {
        failed.insert(item.name)
        let whose = item.name.isEmpty ? "" : " for '\(item.name)'"
        let end = hint.map { "; \($0)" } ?? ""
        report("expected \(expected)\(whose), found \(found)\(end)", at: item.place)
    }

    /// Adds that something of the contract does not exist yet.
    mutating func reportNotYet(_ what: String, at place: Settings.Place, hint: String? = nil) {
        let end = hint.map { "; \($0)" } ?? ""
        report("\(what) is not implemented yet\(end)", at: place)
    }

    private mutating func reportFailure(_ failure: Substitution.Failure, _ item: Item) {
        failed.insert(item.name)
        let end = failure.hint.map { "; \($0)" } ?? ""
        report("\(failure.message), in the value of '\(item.name)'\(end)", at: item.place)
    }

    // MARK: Collections

    /// Hands every known key of a section to `read`; a section without anything is fine.
    mutating func section(
        _ item: Item,
        example: String,
        _ read: (inout SettingsReader, String, Item) -> Void
    ) {
        guard let entries = entries(item, expected: "a mapping (such as \(example))") else {
            return
        }
        let known = Schema.keys(of: item.name)
        for entry in entries {
            let name = Schema.name(item.name, entry.key)
            if known.contains(entry.key) {
                places[name] = entry.value.place
                read(&self, entry.key, Item(name: name, node: entry.value))
            } else {
                report(Schema.unknown(entry.key, in: item.name), at: entry.place)
            }
        }
    }

    /// The entries of a mapping, or nil where something else stands.
    mutating func entries(_ item: Item, expected: String) -> [Settings.Node.Entry]? {
        switch item.node.content {
        case .mapping(let entries): return entries
        case .sequence: reportMismatch(item, expected: expected, found: "a list")
        case .scalar(let text, let isQuoted):
            if isNothing(text, isQuoted) { return [] }
            reportMismatch(item, expected: expected, found: Wording.quoted(text))
        case .refused: break
        }
        return nil
    }

    /// What `read` makes of every element of a list.
    mutating func list<Value>(
        _ item: Item,
        of expected: String,
        _ read: (inout SettingsReader, Item) -> Value?
    ) -> [Value]? {
        let expected = "a list of \(expected)"
        switch item.node.content {
        case .sequence(let nodes):
            var values: [Value] = []
            for node in nodes {
                if let value = read(&self, Item(name: item.name, node: node)) {
                    values.append(value)
                }
            }
            return values
        case .mapping: reportMismatch(item, expected: expected, found: "a mapping")
        case .scalar(let text, let isQuoted):
            if isNothing(text, isQuoted) {
                let hint = "an empty list is written []"
                reportMismatch(item, expected: expected, found: "nothing", hint: hint)
            } else {
                let hint = "one value is a list too: [ \(text) ]"
                let fits = text.utf8.count <= 60 && text == Wording.plain(text)
                reportMismatch(
                    item,
                    expected: expected,
                    found: Wording.quoted(text),
                    hint: fits ? hint : nil
                )
            }
        case .refused: break
        }
        return nil
    }

    // MARK: Scalars

    /// The text of a scalar with its variables put in, or nil where there is none.
    ///
    /// `isText` tells that quotes make it text, where a number was perhaps expected.
    mutating func scalar(
        _ item: Item,
        expected: String,
        hint: String? = nil
    ) -> (text: String, isText: Bool)? {
        switch item.node.content {
        case .scalar(let text, let isQuoted):
            if isNothing(text, isQuoted) {
                reportMismatch(item, expected: expected, found: "nothing")
                return nil
            }
            switch Substitution.apply(to: text, environment: environment) {
            case .success(let value):
                return (value, isQuoted && value == text)
            case .failure(let failure):
                reportFailure(failure, item)
                return nil
            }
        case .sequence: reportMismatch(item, expected: expected, found: "a list", hint: hint)
        case .mapping: reportMismatch(item, expected: expected, found: "a mapping", hint: hint)
        case .refused: break
        }
        return nil
    }

    /// What a parser makes of a scalar.
    mutating func value<Value>(
        _ item: Item,
        expected: String,
        hint: String? = nil,
        _ parse: (String) throws(Mistake) -> Value
    ) -> Value? {
        guard let (text, _) = scalar(item, expected: expected, hint: hint) else { return nil }
        return value(of: text, item, expected: expected, parse)
    }

    private mutating func value<Value>(
        of text: String,
        _ item: Item,
        expected: String,
        _ parse: (String) throws(Mistake) -> Value
    ) -> Value? {
        do {
            return try parse(text)
        } catch {
            switch error {
            case .because(let hint):
                let found = Wording.quoted(text)
                reportMismatch(item, expected: expected, found: found, hint: hint)
            case .notYet(let what):
                failed.insert(item.name)
                reportNotYet(what, at: item.place)
            }
            return nil
        }
    }

    /// A value that must lie in a range; the present one is the example.
    private mutating func quantity<Value: Comparable>(
        _ item: Item,
        in range: ClosedRange<Value>,
        expected: String,
        _ parse: (String) throws(Mistake) -> Value
    ) -> Value? {
        guard let (text, _) = scalar(item, expected: expected),
            let value = value(of: text, item, expected: expected, parse)
        else { return nil }
        guard range.contains(value) else {
            reportMismatch(item, expected: expected, found: Wording.quoted(text))
            return nil
        }
        return value
    }

    /// Reads a duration.
    ///
    /// `other` is what else may stand there.
    mutating func set(
        _ target: inout Duration,
        _ item: Item,
        in range: ClosedRange<Duration>,
        or other: String? = nil
    ) {
        let least = Wording.duration(range.lowerBound)
        let most = Wording.duration(range.upperBound)
        let example = Wording.duration(target)
        let words = other.map { "\($0) or " } ?? ""
        let expected = "\(words)a duration (such as \(example)) from \(least) to \(most)"
        let value = quantity(item, in: range, expected: expected, Quantities.duration)
        target = value ?? target
    }

    /// Reads a size in bytes; `other` is what else may stand there.
    mutating func setSize(
        _ target: inout Int,
        _ item: Item,
        in range: ClosedRange<Int>,
        or other: String? = nil
    ) {
        let least = Wording.size(range.lowerBound)
        let most = Wording.size(range.upperBound)
        let example = Wording.size(target)
        let words = other.map { "\($0) or " } ?? ""
        let expected = "\(words)a size (such as \(example)) from \(least) to \(most)"
        target = quantity(item, in: range, expected: expected, Quantities.size) ?? target
    }

    /// Reads a number.
    mutating func set(_ target: inout Int, _ item: Item, in range: ClosedRange<Int>) {
        let expected = "a number from \(range.lowerBound) to \(range.upperBound)"
        target = number(item, in: range, expected: expected) ?? target
    }

    /// A number; quoted digits are text.
    mutating func number(_ item: Item, in range: ClosedRange<Int>, expected: String) -> Int? {
        if case .scalar(let text, true) = item.node.content, (try? Quantities.integer(text)) != nil
        {
            let hint = "without its quotes it is a number"
            let found = "the text \(Wording.quoted(text))"
            reportMismatch(item, expected: expected, found: found, hint: hint)
            return nil
        }
        return quantity(item, in: range, expected: expected, Quantities.integer)
    }

    // MARK: Words

    /// One of some words; those without a value do not exist yet.
    mutating func choice<Value>(
        _ item: Item,
        _ options: KeyValuePairs<String, Value?>
    ) -> Value? {
        let words = options.map(\.key)
        let expected = Wording.alternatives(words.map { "'\($0)'" })
        guard let (text, _) = scalar(item, expected: expected) else { return nil }
        guard let option = options.first(where: { $0.key == text }) else {
            let near = Nearest.word(to: text, among: words).map { "did you mean '\($0)'?" }
            reportMismatch(item, expected: expected, found: Wording.quoted(text), hint: near)
            return nil
        }
        if option.value == nil {
            let present = options.filter { $0.value != nil }.map { "'\($0.key)'" }
            let hint = "for now it is \(Wording.alternatives(present))"
            reportNotYet("'\(item.name): \(text)'", at: item.place, hint: hint)
        }
        return option.value
    }

    /// A switch that cannot be switched on yet.
    mutating func onlyOff(_ item: Item, hint: String = "leave it out or set it to 'off'") {
        switch item.node.content {
        case .refused: return
        case .scalar(let text, _):
            switch Substitution.apply(to: text, environment: environment) {
            case .success("off"): return
            case .success: break
            case .failure(let failure): return reportFailure(failure, item)
            }
        case .sequence, .mapping: break
        }
        reportNotYet("'\(item.name)'", at: item.place, hint: hint)
    }

    /// Whether just this word stands there, perhaps by way of a variable.
    func isWord(_ word: String, _ item: Item) -> Bool {
        guard case .scalar(let text, _) = item.node.content else { return false }
        return Substitution.apply(to: text, environment: environment) == .success(word)
    }

    /// `null`, `~` or nothing at all.
    private func isNothing(_ text: String, _ isQuoted: Bool) -> Bool {
        !isQuoted && ["", "~", "null", "Null", "NULL"].contains(text)
    }
}
