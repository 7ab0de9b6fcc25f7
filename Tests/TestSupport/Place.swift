internal import Foundation

/// Where things are: the tree, what was built beside the tests, a directory of a test's own.
public enum Place {
    /// The top of the tree.
    public static let root: String = {
        let file = URL(fileURLWithPath: #filePath)
        return file.deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
    }()

    /// Whether every thread of a process has stopped (SIGSTOP).
    static func isStopped(_ pid: Int32) -> Bool {
        let tasks = "/proc/\(pid)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return !threads.isEmpty
            && threads.allSatisfy { text("\(tasks)/\($0)/stat").contains(") T ") }
    }

    /// The binary that was built with the tests, unless LYCHGATE_BINARY names another.
    public static let binary: String = {
        if let chosen = ProcessInfo.processInfo.environment["LYCHGATE_BINARY"] {
            return chosen
        }
        let tests = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let directory = URL(fileURLWithPath: tests ?? "").deletingLastPathComponent()
        return directory.appendingPathComponent("lychgate").path
    }()

    /// The Python that has the packages of the example; `make test` names it.
    public static let python: String = {
        let named = ProcessInfo.processInfo.environment["LYCHGATE_PYTHON"]
        let candidates = [named, root + "/.build/venv/bin/python", "/usr/bin/python3"]
        return candidates.compactMap { $0 }.first { isFile($0) } ?? "/usr/bin/python3"
    }()

    /// The sanitizer that everything was built with, if any: what a process weighs or how
    /// fast it is means nothing then.
    public static let sanitizer = ProcessInfo.processInfo.environment["LYCHGATE_SANITIZER"]

    /// A number that `make` or a person may set.
    public static func number(_ name: String, default value: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? value
    }

    /// A new directory, short enough for a unix socket's path.
    public static func newDirectory() throws -> String {
        let path = "/tmp/lychgate-test-" + UUID().uuidString.prefix(13)
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true
        )
        return path
    }

    /// Removes a directory and what is in it.
    public static func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Whether there is such a file, following links.
    public static func isFile(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path)
    }

    /// A file's text, or nothing if it is not there.
    public static func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }

    /// Writes a file.
    public static func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// The names in a directory, sorted; its own hidden ones among them.
    public static func names(in directory: String) -> [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: directory)
        return (names ?? []).sorted()
    }

    /// The paths of all files below a directory, relative to it, sorted.
    public static func files(below directory: String) -> [String] {
        let all = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String }
        return (all ?? []).filter { path in
            var isDirectory: ObjCBool = false
            let full = directory + "/" + path
            _ = unsafe FileManager.default.fileExists(atPath: full, isDirectory: &isDirectory)
            return !isDirectory.boolValue
        }.sorted()
    }
}
