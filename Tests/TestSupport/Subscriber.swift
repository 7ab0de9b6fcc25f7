/// A client of server-sent events, which reads them as the HTML standard says.
public final class Subscriber {
    /// What a stream tells.
    public struct Event: Equatable, Sendable {
        /// What came last as `id`, with this event or before.
        public var id = ""
        /// What happened.
        public var name = ""
        /// The details.
        public var data = ""
    }

    /// The head of the answer.
    public let head: HTTPResponse
    /// The ID that it would come back with.
    public private(set) var lastID = ""
    /// Comments so far.
    public private(set) var commentCount = 0
    private let connection: HTTPConnection
    private var text = ""

    /// Subscribes.
    public init(
        _ endpoint: Endpoint,
        _ fields: [String] = [],
        target: String = "/.lychgate/events",
        timeoutSeconds: Int = 20
    ) throws {
        connection = try HTTPConnection(to: endpoint, timeoutSeconds: timeoutSeconds)
        connection.send("GET", target, fields)
        head = try connection.receiveHead()
    }

    /// The next event, or nil at the end of the stream.
    public func next() throws -> Event? {
        var event = Event()
        while let line = try line() {
            if line.isEmpty {
                event.id = lastID
                if !event.name.isEmpty { return event }
            } else if line.hasPrefix("id: ") {
                lastID = String(line.dropFirst(4))
            } else if line.hasPrefix("event: ") {
                event.name = String(line.dropFirst(7))
            } else if line.hasPrefix("data: ") {
                event.data = String(line.dropFirst(6))
            } else if line.hasPrefix(":") {
                commentCount += 1
            }
        }
        return nil
    }

    /// The next event of this name, or nil at the end of the stream.
    public func next(_ name: String) throws -> Event? {
        while let event = try next() {
            if event.name == name { return event }
        }
        return nil
    }

    /// Waits for the ID with which a stream begins.
    public func begin() throws -> Self {
        while lastID.isEmpty, let line = try line() {
            if line.hasPrefix("id: ") { lastID = String(line.dropFirst(4)) }
        }
        return self
    }

    /// Goes away.
    public func close() { connection.close() }

    private func line() throws -> String? {
        while true {
            if let end = text.firstIndex(of: "\n") {
                let line = String(text[..<end])
                text = String(text[text.index(after: end)...])
                return line
            }
            guard let chunk = try connection.receiveChunk() else { return nil }
            text += String(decoding: chunk, as: UTF8.self)
        }
    }
}
