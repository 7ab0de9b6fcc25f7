internal import Foundation
internal import Glibc
internal import Memory

/// A process that a test started: what it wrote, how it ended, and a way to end it.
public final class ChildProcess: Sendable {
    /// How a process ended.
    public enum Exit: Sendable, Equatable {
        /// With this code.
        case code(Int32)
        /// By this signal.
        case signal(Int32)
    }

    private struct State {
        var output = ""
        var errors = ""
        var openPipes = 2
        var exit: Exit?
        var input: Int32 = -1
    }

    /// Its number; never used again for a signal once it has been waited for.
    public let pid: Int32
    private let state: Locked<State>
    private let changed = NSCondition()

    /// Starts an executable with these arguments; `environment` is added to the test's own.
    public init(
        _ path: String,
        _ arguments: [String],
        environment: [String: String] = [:]
    ) throws {
        let (input, output, errors) = (Descriptor.pair(), Descriptor.pair(), Descriptor.pair())
        let merged = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        pid = try Self.spawn(
            [path] + arguments,
            environment: merged.map { "\($0)=\($1)" },
            descriptors: [input.read.number, output.write.number, errors.write.number]
        )
        state = Locked(State(input: duplicate(input.write)))
        collect(duplicate(output.read), into: \.output)
        collect(duplicate(errors.read), into: \.errors)
        withExtendedLifetime((input, output, errors)) {}
        reap()
    }

    private static func spawn(
        _ arguments: [String],
        environment: [String],
        descriptors: [Int32]
    ) throws -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (target, descriptor) in descriptors.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var ignored = sigset_t()
        unsafe sigemptyset(&ignored)
        unsafe posix_spawnattr_setsigmask(&attributes, &ignored)
        unsafe sigaddset(&ignored, SIGPIPE)
        unsafe posix_spawnattr_setsigdefault(&attributes, &ignored)
        let flags = Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)
        unsafe posix_spawnattr_setflags(&attributes, flags)

        var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
        var variables = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer {
            for index in unsafe words.indices { unsafe free(words[index]) }
            for index in unsafe variables.indices { unsafe free(variables[index]) }
        }
        var pid: pid_t = 0
        let code = unsafe posix_spawn(
            &pid,
            arguments[0],
            &actions,
            &attributes,
            &words,
            &variables
        )
        guard code == 0 else { throw SpawnFailure(path: arguments[0], code: code) }
        return pid
    }

    private func collect(_ number: Int32, into part: any WritableKeyPath<State, String> & Sendable)
    {
        let (state, changed) = (state, changed)
        Thread.detachNewThread {
            let descriptor = Descriptor(number)
            var room = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = descriptor.read(into: &room)
                let text = String(decoding: room.prefix(max(0, count)), as: UTF8.self)
                changed.lock()
                state.withLock {
                    $0[keyPath: part] += text
                    $0.openPipes -= count > 0 ? 0 : 1
                }
                changed.broadcast()
                changed.unlock()
                if count <= 0 { return }
            }
        }
    }

    private func reap() {
        let (pid, state, changed) = (pid, state, changed)
        Thread.detachNewThread {
            // First look, then reap under the lock, so that a signal never meets a reused number.
            var information = unsafe siginfo_t()
            while unsafe waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0 {
                guard errno == EINTR else { return }
            }
            changed.lock()
            state.withLock {
                var status: Int32 = 0
                _ = unsafe waitpid(pid, &status, 0)
                let signal = status & 0x7f
                $0.exit = signal == 0 ? .code(status >> 8 & 0xff) : .signal(signal)
            }
            changed.broadcast()
            changed.unlock()
        }
    }

    /// Waits until the condition holds or the time is up; says whether it holds.
    @discardableResult
    private func wait(seconds: Double, until condition: (borrowing State) -> Bool) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        changed.lock()
        defer { changed.unlock() }
        while !state.withLock({ condition($0) }) {
            guard changed.wait(until: deadline) else {
                return state.withLock { condition($0) }
            }
        }
        return true
    }

    /// What it has written to standard error so far.
    public var errors: String { state.withLock { $0.errors } }

    /// What it has written to standard output so far.
    public var output: String { state.withLock { $0.output } }

    /// How it ended, or nil while it runs.
    public var exit: Exit? { state.withLock { $0.exit } }

    /// The lines of standard error.
    public var errorLines: [String] {
        errors.split(separator: "\n").map(String.init)
    }

    /// Waits for a line of standard error that contains all of these.
    public func sawError(_ parts: String..., seconds: Double = 5) -> Bool {
        sawError(parts, seconds: seconds)
    }

    func sawError(_ parts: [String], seconds: Double) -> Bool {
        wait(seconds: seconds) { state in
            state.exit != nil && state.openPipes == 0 || Self.has(state.errors, parts)
        } && Self.has(errors, parts)
    }

    /// Waits for a line of standard output that contains this.
    public func sawOutput(_ part: String, seconds: Double = 5) -> Bool {
        wait(seconds: seconds) { state in
            state.exit != nil && state.openPipes == 0 || Self.has(state.output, [part])
        } && Self.has(output, [part])
    }

    private static func has(_ text: String, _ parts: [String]) -> Bool {
        text.split(separator: "\n").contains { line in parts.allSatisfy { line.contains($0) } }
    }

    /// Waits for more output of any kind, or for the end, at most so long.
    public func waitForAnything(seconds: Double) {
        let before = state.withLock { $0.errors.utf8.count + $0.output.utf8.count }
        wait(seconds: seconds) {
            $0.exit != nil || $0.errors.utf8.count + $0.output.utf8.count > before
        }
    }

    /// Sends a signal, unless it has ended.
    public func send(_ signal: Int32) {
        state.withLock { state in
            if state.exit == nil {
                _ = kill(pid, signal)
            }
        }
    }

    /// Ends a process the hard way that one of these has started.
    public static func killDescendant(_ pid: Int32) {
        precondition(pid > 1)
        _ = Glibc.kill(pid, SIGKILL)
    }

    /// Ends it the hard way and waits until it is gone.
    public func kill9() {
        send(SIGKILL)
        wait(seconds: 10) { $0.exit != nil }
        closeInput()
    }

    /// Asks it to stop and says how it ended, or nil if it did not in time.
    public func terminate(seconds: Double = 10) -> Exit? {
        send(SIGTERM)
        return waitForExit(seconds: seconds)
    }

    /// Waits for its end and for all of its output.
    public func waitForExit(seconds: Double = 10) -> Exit? {
        wait(seconds: seconds) { $0.exit != nil && $0.openPipes == 0 }
        closeInput()
        return exit
    }

    private func closeInput() {
        state.withLock { state in
            if state.input >= 0 {
                _ = close(state.input)
                state.input = -1
            }
        }
    }

    /// A line of `/proc/PID/status` in KiB, for example `VmHWM`: the most it ever held.
    public func memoryKiB(_ name: String) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") } ?? ""
        return line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
    }

    /// How many descriptors it has open.
    public var openDescriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count) ?? 0
    }
}

/// An executable that could not be started.
public struct SpawnFailure: Error {
    /// Which one.
    public var path: String
    /// What `posix_spawn` said.
    public var code: Int32
}

private func duplicate(_ descriptor: Descriptor) -> Int32 {
    fcntl(descriptor.number, F_DUPFD_CLOEXEC, 0)
}
