import Foundation

/// Other people's parsers, which Python has.
enum Oracle {
    private static var root: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    /// The interpreter that has h11 and httptools; `make test` makes it.
    private static var python: String {
        ProcessInfo.processInfo.environment["LYCHGATE_PYTHON"]
            ?? root.appending(path: ".build/venv/bin/python").path
    }

    /// Runs a script of this directory on `input`: how it ended, and what it said.
    ///
    /// Where the interpreter is missing this throws: a test fails, it is never skipped.
    static func ask(_ script: String, _ input: Data) throws -> (status: Int32, report: String) {
        // Through a file: a pipe might fill up on either side.
        let file = FileManager.default.temporaryDirectory
            .appending(path: "lychgate-corpus-\(UUID().uuidString)")
        try input.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = [root.appending(path: "Tests/HTTP1Tests/\(script)").path]
        process.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let report = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: report, as: UTF8.self))
    }
}
