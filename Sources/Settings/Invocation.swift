/// What the command line asks for (contract section 8).
public enum Invocation: Sendable, Equatable {
    /// Serve, with this file if one is named; the flags count more than what it says.
    case run(configuration: String?, overrides: Settings.Overrides)
    /// Check this file and say what is wrong with it.
    case check(configuration: String)
    /// Print the version.
    case version
    /// Print this text.
    case help(text: String)

    /// Why a command line means nothing; the program ends with status 2.
    public struct WrongUsage: Error, Sendable, Equatable {
        /// What is wrong and what was probably meant; one line without a line end.
        public let message: String
    }

    /// Reads the words behind the program's name.
    public static func parse(_ arguments: [String]) -> Result<Self, WrongUsage> {
        do {
            return .success(try parsed(arguments))
        } catch {
            return .failure(error)
        }
    }

    private static func parsed(_ arguments: [String]) throws(WrongUsage) -> Self {
        guard let first = arguments.first else {
            throw wrong("a command is missing: run, check, version or help", command: nil)
        }
        let rest = arguments.dropFirst()
        switch first {
        case "--help", "-h": return .help(text: Help.program)
        case "--version": return .version
        case "help": return try help(rest)
        default: break
        }
        guard let command = Command(rawValue: first) else {
            let what = first.hasPrefix("-") ? "flag" : "command"
            let words = what == "flag" ? ["--help", "--version"] : Command.words
            throw unknown(what, first, among: words, command: nil)
        }
        if rest.contains(where: { $0 == "--help" || $0 == "-h" }) {
            return .help(text: command.help)
        }
        var flags = try Flags(rest, of: command)
        return switch command {
        case .run: try flags.run()
        case .check: try flags.check()
        case .version: .version
        }
    }

    private static func help(_ rest: ArraySlice<String>) throws(WrongUsage) -> Self {
        guard let word = rest.first, word != "--help", word != "-h" else {
            return .help(text: Help.program)
        }
        if rest.count > 1 {
            let shown = Wording.quoted(rest[rest.startIndex + 1])
            throw wrong("'help' takes one command, found also \(shown)", command: nil)
        }
        if word == "help" { return .help(text: Help.program) }
        guard let command = Command(rawValue: word) else {
            throw unknown("command", word, among: Command.words, command: nil)
        }
        return .help(text: command.help)
    }

    fileprivate static func unknown(
        _ what: String,
        _ word: String,
        among words: [String],
        command: Command?
    ) -> WrongUsage {
        let near = Nearest.word(to: word, among: words)
        let meant = near.map { "did you mean '\($0)'?" }
        let choice = "expected " + Wording.alternatives(words)
        let hint = meant ?? (words.isEmpty ? "there is none here" : choice)
        return wrong("unknown \(what) \(Wording.quoted(word)); \(hint)", command: command)
    }

    fileprivate static func wrong(_ message: String, command: Command?) -> WrongUsage {
        let help = command.map { "lychgate \($0.rawValue) --help" } ?? "lychgate help"
        return WrongUsage(message: "\(message) (see '\(help)')")
    }
}

/// The commands that have flags of their own.
private enum Command: String, CaseIterable {
    case run
    case check
    case version

    static let words = ["run", "check", "version", "help"]

    /// The flags, all with a value, and what the value is called.
    var flags: [(name: String, value: String)] {
        switch self {
        case .run:
            [
                ("--config", "FILE"), ("--listen", "ADDR"), ("--upstream", "URL"),
                ("--workers", "N"),
            ]
        case .check: [("--config", "FILE")]
        case .version: []
        }
    }

    var help: String {
        switch self {
        case .run: Help.run
        case .check: Help.check
        case .version: Help.version
        }
    }
}

/// The flags of one command line with their values.
private struct Flags {
    private let command: Command
    private var values: [String: String] = [:]

    /// Reads `--flag value` and `--flag=value`.
    init(_ words: ArraySlice<String>, of command: Command) throws(Invocation.WrongUsage) {
        self.command = command
        let known = command.flags
        var rest = words
        while let word = rest.popFirst() {
            guard word.hasPrefix("-") else { throw Self.unexpected(word, command) }
            let flag = String(word.prefix { $0 != "=" })
            guard let valueName = known.first(where: { $0.name == flag })?.value else {
                let names = known.map(\.name) + ["--help"]
                throw Invocation.unknown("flag", flag, among: names, command: command)
            }
            let value: String
            if flag.count < word.count {
                value = String(word.dropFirst(flag.count + 1))
            } else if let next = rest.first, !next.hasPrefix("--") {
                value = next
                rest = rest.dropFirst()
            } else {
                value = ""
            }
            guard !value.isEmpty else {
                throw Invocation.wrong("'\(flag)' needs a value: \(valueName)", command: command)
            }
            guard values.updateValue(value, forKey: flag) == nil else {
                throw Invocation.wrong("'\(flag)' is given twice", command: command)
            }
        }
    }

    private static func unexpected(_ word: String, _ command: Command) -> Invocation.WrongUsage {
        let flag = command.flags.first.map { "; did you mean '\($0.name) \(Wording.plain(word))'?" }
        let message = "'\(command.rawValue)' takes no \(Wording.quoted(word))" + (flag ?? "")
        return Invocation.wrong(message, command: command)
    }

    mutating func run() throws(Invocation.WrongUsage) -> Invocation {
        var overrides = Settings.Overrides()
        overrides.listen = try value(of: "--listen", Address.expected, Address.init(parsing:))
        overrides.upstream = try value(
            of: "--upstream",
            Address.expectedURL,
            UpstreamURL.init(parsing:)
        )
        overrides.workers = try value(of: "--workers", "a number from 1 to 256") {
            text throws(Mistake) in
            let number = try Quantities.integer(text)
            guard (1...256).contains(number) else { throw .because(nil) }
            return number
        }
        let configuration = values["--config"]
        if configuration == nil && overrides.upstream == nil {
            let message = "no upstream: give --upstream URL, or --config FILE"
            throw Invocation.wrong(message, command: command)
        }
        return .run(configuration: configuration, overrides: overrides)
    }

    mutating func check() throws(Invocation.WrongUsage) -> Invocation {
        guard let configuration = values["--config"] else {
            throw Invocation.wrong("nothing to check: give --config FILE", command: command)
        }
        return .check(configuration: configuration)
    }

    private func value<Value>(
        of flag: String,
        _ expected: String,
        _ parse: (String) throws(Mistake) -> Value
    ) throws(Invocation.WrongUsage) -> Value? {
        guard let text = values[flag] else { return nil }
        do {
            return try parse(text)
        } catch {
            switch error {
            case .notYet(let what):
                throw Invocation.wrong("\(what) is not implemented yet", command: command)
            case .because(let hint):
                let end = hint.map { "; \($0)" } ?? ""
                let found = "\(Wording.quoted(text))\(end)"
                let message = "expected \(expected) for '\(flag)', found \(found)"
                throw Invocation.wrong(message, command: command)
            }
        }
    }
}
