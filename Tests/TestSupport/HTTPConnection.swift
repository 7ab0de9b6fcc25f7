internal import Glibc

/// A client's connection: it sends exactly what it is told and reads answers as RFC 9112 says.
public final class HTTPConnection {
    private let socket: Descriptor
    private var input: [UInt8] = []
    private var room = [UInt8](repeating: 0, count: 1 << 18)
    private var ended = false

    /// Connects.
    ///
    /// With `receiveBuffer` the kernel takes little for it that it has not read.
    public init(
        to endpoint: Endpoint,
        timeoutSeconds: Int = 20,
        receiveBuffer: Int32? = nil
    ) throws {
        guard
            let socket = Descriptor.connect(
                to: endpoint,
                timeoutSeconds: timeoutSeconds,
                receiveBuffer: receiveBuffer
            )
        else { throw HTTPFailure.refused }
        self.socket = socket
    }

    // MARK: Sending

    /// Sends these bytes; whether the peer took them.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool { socket.send(bytes[...]) }

    /// Sends this text; whether the peer took it.
    @discardableResult
    public func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Sends a request; `fields` are whole lines, `Host` is added unless it is among them.
    @discardableResult
    public func send(
        _ method: String,
        _ target: String,
        _ fields: [String] = [],
        body: [UInt8]? = nil
    ) -> Bool {
        var lines = ["\(method) \(target) HTTP/1.1"]
        if !fields.contains(where: { $0.lowercased().hasPrefix("host:") }) {
            lines.append("Host: example.test")
        }
        lines += fields
        if let body {
            lines.append("Content-Length: \(body.count)")
        }
        return send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (body ?? []))
    }

    /// Sends one chunk of chunked content; none is the last.
    @discardableResult
    public func sendChunk(_ bytes: [UInt8]) -> Bool {
        let size = String(bytes.count, radix: 16)
        return send(Array("\(size)\r\n".utf8) + bytes + Array("\r\n".utf8))
    }

    /// Says that nothing more will be sent, and goes on reading.
    public func shutDownWriting() { socket.shutDownWriting() }

    /// Closes it.
    public func close() { socket.close() }

    /// Closes it with a reset.
    public func reset() {
        socket.lingerZero()
        socket.close()
    }

    // MARK: Receiving

    /// Whether more has been read than was asked for.
    public var hasUnread: Bool { !input.isEmpty }

    /// Sends a request and reads its answer.
    public func ask(
        _ method: String,
        _ target: String,
        _ fields: [String] = [],
        body: [UInt8]? = nil
    ) throws -> HTTPResponse {
        send(method, target, fields, body: body)
        return try receive(for: method)
    }

    /// Reads one final answer to a request of this method; interim ones are passed over.
    public func receive(for method: String = "GET") throws -> HTTPResponse {
        var response = try receiveHead()
        while response.status / 100 == 1 && response.status != 101 {
            response = try receiveHead()
        }
        if method == "HEAD" || response.status == 204 || response.status == 304 {
            return response
        }
        if let coding = response["Transfer-Encoding"] {
            guard coding.lowercased() == "chunked", response["Content-Length"] == nil else {
                throw HTTPFailure.malformed("framing")
            }
            try receiveChunks(into: &response)
        } else if let text = response["Content-Length"] {
            guard let count = Int(text), response.values("Content-Length").count == 1 else {
                throw HTTPFailure.malformed("Content-Length: \(text)")
            }
            while input.count < count {
                try readMore(within: input)
            }
            response.body = take(count)
        } else {
            while !ended {
                try readMore(within: nil)
            }
            response.body = take(input.count)
        }
        return response
    }

    /// Reads the head of an answer and leaves its content unread.
    public func receiveHead() throws -> HTTPResponse {
        var lines: [String] = []
        while true {
            let line = try receiveLine(inHead: true, isFirst: lines.isEmpty)
            if line.isEmpty { break }
            lines.append(line)
        }
        var response = HTTPResponse()
        let words = lines[0].split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw HTTPFailure.malformed(lines[0])
        }
        response.version = String(words[0])
        response.status = status
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else {
                throw HTTPFailure.malformed(line)
            }
            let value = line[line.index(after: colon)...]
            let trimmed = value.drop { $0 == " " || $0 == "\t" }
            let end = trimmed.lastIndex { $0 != " " && $0 != "\t" }
            response.fields.append(
                HTTPResponse.Field(
                    name: String(line[..<colon]),
                    value: end.map { String(trimmed[...$0]) } ?? ""
                )
            )
        }
        return response
    }

    private func receiveChunks(into response: inout HTTPResponse) throws {
        while true {
            let body = response.body
            let line = try receiveLine(inHead: false, isFirst: false, body: body)
            guard let size = Int(line.prefix { $0 != ";" }, radix: 16) else {
                throw HTTPFailure.malformed("chunk size: \(line)")
            }
            while input.count < size + 2, size > 0 {
                try readMore(within: body + input)
            }
            response.body += take(size)
            while size == 0 {
                let line = try receiveLine(inHead: false, isFirst: false, body: body)
                if line.isEmpty { return }
                response.trailers.append(line)
            }
            let end = try receiveLine(inHead: false, isFirst: false, body: response.body)
            guard end.isEmpty else { throw HTTPFailure.malformed("end of chunk: \(end)") }
        }
    }

    /// Reads one chunk of chunked content; nil for the last one.
    public func receiveChunk() throws -> [UInt8]? {
        let line = try receiveLine(inHead: false, isFirst: false)
        guard let size = Int(line, radix: 16) else {
            throw HTTPFailure.malformed("chunk size: \(line)")
        }
        while input.count < size + 2 { try readMore(within: input) }
        let chunk = take(size)
        _ = take(2)
        return size == 0 ? nil : chunk
    }

    private func receiveLine(
        inHead: Bool,
        isFirst: Bool,
        body: [UInt8] = []
    ) throws -> String {
        var searched = 0
        while true {
            if let end = input[searched...].firstIndex(of: 0x0a) {
                guard end > 0, input[end - 1] == 0x0d else {
                    throw HTTPFailure.malformed("bare LF")
                }
                let line = String(decoding: input[..<(end - 1)], as: UTF8.self)
                input.removeFirst(end + 1)
                return line
            }
            searched = input.count
            try readMore(within: inHead ? (isFirst && input.isEmpty ? nil : []) : body)
            if ended, inHead, isFirst, input.isEmpty { throw HTTPFailure.closed }
        }
    }

    /// Reads once; at the end of the connection `partial` says what is thrown: nothing for nil.
    private func readMore(within partial: @autoclosure () -> [UInt8]?) throws {
        let count = ended ? 0 : socket.read(into: &room)
        if count > 0 {
            input += room[..<count]
        } else if count < 0, errno == EAGAIN {
            throw HTTPFailure.timedOut
        } else {
            ended = true
            if let partial = partial() {
                throw HTTPFailure.cut(String(decoding: partial, as: UTF8.self))
            }
            if count < 0 {
                throw input.isEmpty ? HTTPFailure.closed : HTTPFailure.cut("")
            }
        }
    }

    private func take(_ count: Int) -> [UInt8] {
        let bytes = Array(input[..<count])
        input.removeFirst(count)
        return bytes
    }

    /// Whether the peer has sent nothing beyond the answers read so far, and goes on sending
    /// nothing for so many milliseconds.
    public func isQuiet(forMilliseconds limit: Int32) -> Bool {
        input.isEmpty && !socket.isReadable(withinMilliseconds: limit)
    }

    /// Whether the peer closes, having sent nothing more, before the time-out.
    public func isClosedByPeer() -> Bool {
        while input.isEmpty {
            let count = ended ? 0 : socket.read(into: &room)
            if count > 0 { return false }
            return count == 0 || errno != EAGAIN
        }
        return false
    }

    /// Reads whatever comes until the end, at most so much.
    public func receiveAll(limit: Int = 1 << 20) throws -> String {
        while !ended, input.count < limit {
            try readMore(within: nil)
        }
        return String(decoding: take(input.count), as: UTF8.self)
    }

    /// Reads so many bytes of content, whatever they are.
    public func receive(bytes count: Int) throws -> [UInt8] {
        while input.count < count {
            try readMore(within: input)
        }
        return take(count)
    }

    // MARK: Content that is too big to hold

    /// Sends so many bytes of the pattern; how many were taken.
    public func sendPattern(count: Int) -> Int {
        let pattern = Pattern.bytes
        var sent = 0
        while sent < count {
            let start = sent % Pattern.period
            let size = min(1 << 20, count - sent)
            guard socket.send(pattern[start..<(start + size)]) else { return sent }
            sent += size
        }
        return sent
    }

    /// Reads so many bytes of content and holds none of it; how many were as the pattern says.
    public func receivePattern(count: Int) throws -> Int {
        var received = 0
        var big = [UInt8](repeating: 0, count: 1 << 20)
        let first = min(count, input.count)
        guard Pattern.matches(take(first), count: first, at: 0) else { return 0 }
        received = first
        while received < count {
            let size = socket.read(into: &big, atMost: count - received)
            guard size > 0 else { return received }
            guard Pattern.matches(big, count: size, at: received) else { return received }
            received += size
        }
        return received
    }
}

/// The content of big messages, the same in the tests' backend.
public enum Pattern {
    /// It repeats after so many bytes: a prime, so that no buffer's size hides a shift.
    public static let period = 65_521

    /// The pattern, long enough for a MiB from any place of the first period.
    public static let bytes: [UInt8] = {
        let one = (0..<period).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        return Array(repeatElement(one, count: (1 << 20) / period + 3).joined())
    }()

    static func matches(_ received: [UInt8], count: Int, at offset: Int) -> Bool {
        let start = offset % period
        return unsafe bytes.withUnsafeBytes { expected in
            unsafe received.withUnsafeBytes { got in
                guard let expected = expected.baseAddress, let got = got.baseAddress else {
                    return count == 0
                }
                return unsafe memcmp(expected + start, got, count) == 0
            }
        }
    }
}
