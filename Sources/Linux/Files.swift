internal import CLinux
internal import Glibc

/// Whole small files, and the process's own streams.
public enum Files {
    /// The bytes of a file of at most `limit` bytes; one byte more than that means "too large".
    public static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        // Safe because the path is only read.
        let number = unsafe clinux_open_file(path)
        guard number >= 0 else { throw .last("open") }
        let descriptor = Descriptor(number)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while bytes.count <= limit {
            let count = unsafe chunk.withUnsafeMutableBytes { room in
                // Safe because at most the room's size is written.
                unsafe Glibc.read(descriptor.number, room.baseAddress, room.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .last("read") }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return Array(bytes.prefix(limit + 1))
    }

    /// Which of the process's own streams to write to.
    public enum Stream: Int32, Sendable {
        case output = 1
        case error = 2
    }

    /// Puts the null device in the place of standard streams that are closed.
    ///
    /// Else the next connection would get the number of one, and the log with it.
    public static func fillStreams() throws(SystemError) {
        guard clinux_fill_standard_streams() == 0 else { throw .last("open /dev/null") }
    }

    /// Writes text to a stream, waiting where it must; a closed stream is ignored.
    public static func write(_ text: String, to stream: Stream) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { waiting in
                // Safe because the bytes are only read.
                unsafe Glibc.write(stream.rawValue, waiting.baseAddress, waiting.count)
            }
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN {
                var poll = pollfd(fd: stream.rawValue, events: Int16(POLLOUT), revents: 0)
                // Safe because one entry is given.
                guard unsafe Glibc.poll(&poll, 1, 1000) > 0 else { return }
                continue
            }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    /// The value of an environment variable.
    public static func environment(_ name: String) -> String? {
        // Safe because the process never changes its environment.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}

/// The end of the process.
public enum ExitCode {
    /// Ends the process with a code.
    public static func end(_ code: Int32) -> Never {
        exit(code)
    }
}
