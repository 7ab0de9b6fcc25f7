import Settings
import Testing

/// The message of a command line that must be wrong.
private func wrong(_ line: String) -> String? {
    switch parse(line) {
    case .success: nil
    case .failure(let usage): usage.message
    }
}

private func parse(_ line: String) -> Result<Invocation, Invocation.WrongUsage> {
    Invocation.parse(line.split(separator: " ").map(String.init))
}

/// The text that is printed, if it is help.
private func help(_ line: String) -> String? {
    guard case .success(.help(let text)) = parse(line) else { return nil }
    return text
}

@Suite("8 The command line")
struct InvocationTests {
    @Test("8 run with flags, in both ways of writing them")
    func run() throws {
        var overrides = Settings.Overrides()
        overrides.listen = .host("127.0.0.1", port: 8080)
        overrides.upstream = UpstreamURL(.host("127.0.0.1", port: 8000))
        let two = "run --listen 127.0.0.1:8080 --upstream http://127.0.0.1:8000"
        #expect(try parse(two).get() == .run(configuration: nil, overrides: overrides))
        overrides.workers = 4
        #expect(
            try parse(two + " --workers=4 --config=a=b.yaml").get()
                == .run(configuration: "a=b.yaml", overrides: overrides)
        )
        #expect(
            try parse("run --config lychgate.yaml").get()
                == .run(configuration: "lychgate.yaml", overrides: Settings.Overrides())
        )
        overrides = Settings.Overrides()
        overrides.listen = .unix("/a=b")
        overrides.upstream = UpstreamURL(.host("::1", port: 80))
        #expect(
            try parse("run --listen=unix:/a=b --upstream=http://[::1]").get()
                == .run(configuration: nil, overrides: overrides)
        )
    }

    @Test("8 check and version")
    func others() throws {
        #expect(try parse("check --config x").get() == .check(configuration: "x"))
        #expect(try parse("check --config=-").get() == .check(configuration: "-"))
        #expect(try parse("version").get() == .version)
        #expect(try parse("--version").get() == .version)
    }

    @Test("8 help, for the program and for every command")
    func helps() {
        let program = help("help")
        #expect(program?.contains("lychgate run   [--config FILE]") ?? false)
        for line in ["--help", "-h", "help help", "help --help"] {
            #expect(help(line) == program)
        }
        var texts: Set<String?> = [program]
        for command in ["run", "check", "version"] {
            let text = help("\(command) --help")
            #expect(text?.hasPrefix("Usage: lychgate \(command)") ?? false)
            #expect(help("\(command) -h") == text)
            #expect(help("help \(command)") == text)
            #expect(help("\(command) --nonsense --help") == text)
            texts.insert(text)
        }
        #expect(texts.count == 4)
        for text in texts {
            #expect(text?.split(separator: "\n").allSatisfy { $0.count <= 95 } ?? false)
            #expect(text?.hasSuffix("\n") ?? false)
        }
    }

    @Test("8 wrong usage names what was probably meant")
    func wrongUsage() {
        let run = " (see 'lychgate run --help')"
        let check = " (see 'lychgate check --help')"
        let all = " (see 'lychgate help')"
        let expected: KeyValuePairs = [
            "": "a command is missing: run, check, version or help" + all,
            "rnu": "unknown command 'rnu'; did you mean 'run'?" + all,
            "chekc --config x": "unknown command 'chekc'; did you mean 'check'?" + all,
            "serve": "unknown command 'serve'; expected run, check, version or help" + all,
            "help ceck": "unknown command 'ceck'; did you mean 'check'?" + all,
            "help run check": "'help' takes one command, found also 'check'" + all,
            "--hlep": "unknown flag '--hlep'; did you mean '--help'?" + all,
            "--config x": "unknown flag '--config'; expected --help or --version" + all,
            "run --lisen a:1": "unknown flag '--lisen'; did you mean '--listen'?" + run,
            "run -config x": "unknown flag '-config'; did you mean '--config'?" + run,
            "run --config=x -w": "unknown flag '-w'; expected --config, --listen, --upstream, "
                + "--workers or --help" + run,
            "check --listen a:1": "unknown flag '--listen'; expected --config or --help" + check,
            "check": "nothing to check: give --config FILE" + check,
            "check x.yaml": "'check' takes no 'x.yaml'; did you mean '--config x.yaml'?" + check,
            "version 2": "'version' takes no '2' (see 'lychgate version --help')",
            "run": "no upstream: give --upstream URL, or --config FILE" + run,
            "run --listen a:1": "no upstream: give --upstream URL, or --config FILE" + run,
            "run --config": "'--config' needs a value: FILE" + run,
            "run --config=": "'--config' needs a value: FILE" + run,
            "run --config --workers 2": "'--config' needs a value: FILE" + run,
            "run --workers 1 --workers=2": "'--workers' is given twice" + run,
            "run --config x --workers 0":
                "expected a number from 1 to 256 for '--workers', found '0'" + run,
            "run --config x --workers -1":
                "expected a number from 1 to 256 for '--workers', found '-1'" + run,
            "run --config x --listen 8080":
                "expected an address (host:port, [v6]:port or unix:/path) for '--listen', "
                + "found '8080'; did you mean '127.0.0.1:8080'?" + run,
            "run --upstream a:1":
                "expected a URL (http://host:port, https://host:port or unix:/path) for "
                + "'--upstream', found 'a:1'; did you mean 'http://a:1'?" + run,
        ]
        for (line, message) in expected {
            #expect(wrong(line) == message)
        }
    }

    @Test("8 words from a terminal are shown without what would disturb it")
    func controlCharacters() {
        #expect(wrong("run --\u{1B}[31m") == wrong("run --\u{1B}[31m")?.filter { $0 != "\u{1B}" })
        #expect(wrong("\u{1B}]0;x")?.contains("\u{1B}") == false)
    }
}
