internal import Linux
internal import Proxy
internal import Settings
internal import YAML

/// The program: what the command line asks for, and the exit codes of contract section 8.
enum Program {
    static let version = "0.1.0"

    static func main() -> Int32 {
        switch Invocation.parse(Array(CommandLine.arguments.dropFirst())) {
        case .failure(let usage):
            Files.write("lychgate: \(usage.message)\n", to: .error)
            return 2
        case .success(.version):
            Files.write("lychgate \(version)\n", to: .output)
            return 0
        case .success(.help(let text)):
            Files.write(text, to: .output)
            return 0
        case .success(.check(let file)):
            guard let settings = load(file, Settings.Overrides()),
                loadTLS(settings, file) != nil
            else { return 1 }
            Files.write("\(file): ok\n", to: .output)
            return 0
        case .success(.run(let file, let overrides)):
            guard let settings = load(file, overrides), let tls = loadTLS(settings, file) else {
                return 1
            }
            return serve(settings, tls, directory: directory(of: file))
        }
    }

    private static func serve(
        _ settings: Settings,
        _ tls: TLSContexts,
        directory: String
    ) -> Int32 {
        do throws(SystemError) {
            try Files.fillStreams()
        } catch {
            return 1
        }
        do throws(StartFailure) {
            try ProxyServer.run(settings, tls: tls, directory: directory, version: version)
            return 0
        } catch {
            Files.write("lychgate: \(error)\n", to: .error)
            return 1
        }
    }

    /// Where files are looked for that the configuration names: beside it.
    private static func directory(of file: String?) -> String {
        guard let file, let end = file.lastIndex(of: "/") else { return "." }
        return end == file.startIndex ? "/" : String(file[..<end])
    }

    /// What the certificates came to, or nil when what is wrong was said.
    private static func loadTLS(_ settings: Settings, _ file: String?) -> TLSContexts? {
        switch TLSContexts.load(settings, directory: directory(of: file)) {
        case .success(let contexts): return contexts
        case .failure(let problems):
            say(problems, file)
            return nil
        }
    }

    private static func say(_ problems: Settings.Problems, _ file: String?) {
        let lines = problems.lines(file: file ?? "command line")
        Files.write(lines.joined(separator: "\n") + "\n", to: .error)
    }

    /// The settings, or nil when what is wrong was said.
    private static func load(_ file: String?, _ overrides: Settings.Overrides) -> Settings? {
        var bytes: [UInt8]?
        if let file {
            do throws(SystemError) {
                bytes = try Files.read(file, limit: 1024 * 1024)
            } catch {
                Files.write("lychgate: cannot read \(Wording.quoted(file)): \(error)\n", to: .error)
                return nil
            }
        }
        switch Settings.load(yaml: bytes, environment: Files.environment, overrides: overrides) {
        case .success(let settings): return settings
        case .failure(let problems):
            say(problems, file)
            return nil
        }
    }
}

ExitCode.end(Program.main())
