// Reads what travelled on a connection, as a strict peer would.

import HTTP1
import HTTPModel
import Memory

/// How a stream of messages stands behind its last byte.
enum StreamEnd: Equatable {
    /// Between two messages.
    case boundary
    /// Within a message.
    case cut
    /// What came is no message, or one that nobody asked for.
    case malformed
    /// A 101 was the last message: what follows is not HTTP.
    case tunnel
}

/// A request as its receiver sees it.
struct ReadRequest {
    var method: Method
    var version: UInt8
    var asksUpgrade: Bool
    var fields: [(name: String, value: String)] = []
    var content: [UInt8] = []
    var isWhole = false

    init(_ head: borrowing RequestHead, in input: borrowing Buffer, keepsFields: Bool) {
        method = head.method
        version = head.minorVersion
        asksUpgrade = head.asksUpgrade
        guard keepsFields else { return }
        let bytes = input.copy(from: 0, count: head.byteCount)
        for index in 0..<head.fields.count {
            let line = head.fields[index]
            let value = bytes[line.value.start..<line.value.end]
            fields.append(
                (lowercase(bytes, line.name), String(decoding: value, as: Unicode.UTF8.self))
            )
        }
    }

    func values(_ name: String) -> [String] {
        fields.filter { $0.name == name }.map { $0.value }
    }
}

/// Takes what waits of a message's content; nil when the message is over, with the rest left.
private func takeContent(
    _ input: inout Buffer,
    _ decoder: inout ContentDecoder,
    into content: inout [UInt8]
) -> StreamEnd? {
    while true {
        switch decoder.next(input, from: 0) {
        case .content(let skip, let count):
            content += input.copy(from: skip, count: count)
            decoder.took(count)
            input.consume(skip + count)
        case .incomplete(let skip):
            input.consume(skip)
            return .cut
        case .finished(let skip, let trailers):
            input.consume(skip + trailers)
            return nil
        case .failed: return .malformed
        }
    }
}

/// The requests of a connection, in between the identity questions that the proxy asks.
struct RequestReader: ~Copyable {
    private(set) var requests: [ReadRequest] = []
    /// Where tunnels may begin, behind requests that ask for one.
    private(set) var tunnelStarts: [Int] = []
    /// Identity questions that were not answered yet.
    var openQuestions = 0
    private(set) var end = StreamEnd.boundary

    private let parser: HeadParser
    private let question: [UInt8]
    private let keepsFields: Bool
    private var head: RequestHead
    private var input = Buffer()
    /// Bytes taken in all.
    private var count = 0
    private var decoder: ContentDecoder?

    /// A reader of the client's bytes, where `question` is empty, or of the proxy's.
    init(_ parser: HeadParser, question: [UInt8]) {
        self.parser = parser
        self.question = question
        keepsFields = !question.isEmpty
        head = RequestHead(fieldCapacity: parser.limits.headerCount)
    }

    mutating func take(_ bytes: [UInt8]) {
        if end == .malformed { return }
        input.append(bytes)
        count += bytes.count
        while true {
            if var decoder {
                let last = requests.count - 1
                let stop = takeContent(&input, &decoder, into: &requests[last].content)
                if let stop {
                    self.decoder = decoder
                    end = stop
                    return
                }
                self.decoder = nil
                requests[last].isWhole = true
            }
            end = input.isEmpty ? .boundary : .cut
            guard !input.isEmpty, readHead() else { return }
        }
    }

    private mutating func readHead() -> Bool {
        if !question.isEmpty {
            let front = input.copy(from: 0, count: min(input.count, question.count))
            if question.starts(with: front) {
                guard front.count == question.count else { return false }
                input.consume(front.count)
                openQuestions += 1
                return true
            }
        }
        switch parser.parseRequest(input, into: &head) {
        case .incomplete: return false
        case .refused:
            end = .malformed
            return false
        case .complete:
            requests.append(ReadRequest(head, in: input, keepsFields: keepsFields))
            decoder = ContentDecoder(head.framing)
            input.consume(head.byteCount)
            if head.asksUpgrade { tunnelStarts.append(count - input.count) }
            return true
        }
    }
}

/// A response as its receiver sees it.
struct ReadResponse {
    var status: UInt16
    var content: [UInt8] = []
    var isWhole = false
    /// Whether only the connection's end tells where the content ends.
    var endsAtClose = false
}

/// The responses of a connection.
struct ResponseReader: ~Copyable {
    /// Of the requests that they are to.
    var methods: [Method] = []
    /// The final ones.
    private(set) var responses: [ReadResponse] = []
    private(set) var end = StreamEnd.boundary
    /// Where the tunnel begins, at the end `tunnel`.
    private(set) var tunnelStart = 0

    private let parser: HeadParser
    private var head: ResponseHead
    private var input = Buffer()
    /// Bytes taken in all.
    private var count = 0
    private var decoder: ContentDecoder?

    init(_ parser: HeadParser) {
        self.parser = parser
        head = ResponseHead(fieldCapacity: parser.limits.headerCount)
    }

    /// Whether a request has no whole answer yet.
    var isAwaited: Bool {
        end != .malformed && end != .tunnel
            && (responses.count < methods.count || responses.last?.isWhole == false)
    }

    mutating func take(_ bytes: [UInt8]) {
        if bytes.isEmpty || end == .malformed || end == .tunnel { return }
        input.append(bytes)
        count += bytes.count
        while true {
            if var decoder {
                let last = responses.count - 1
                let stop = takeContent(&input, &decoder, into: &responses[last].content)
                if let stop {
                    self.decoder = decoder
                    end = stop
                    return
                }
                self.decoder = nil
                responses[last].isWhole = true
            }
            end = input.isEmpty ? .boundary : .cut
            guard !input.isEmpty, readHead() else { return }
        }
    }

    private mutating func readHead() -> Bool {
        guard responses.count < methods.count else {
            end = .malformed
            return false
        }
        switch parser.parseResponse(input, to: methods[responses.count], into: &head) {
        case .incomplete: return false
        case .refused:
            end = .malformed
            return false
        case .complete:
            input.consume(head.byteCount)
            if head.isInterim { return true }
            if head.status == 101 {
                end = .tunnel
                tunnelStart = count - input.count
                return false
            }
            responses.append(ReadResponse(status: head.status))
            responses[responses.count - 1].endsAtClose = head.framing == .untilClose
            decoder = ContentDecoder(head.framing, role: .client)
            return true
        }
    }

    /// The connection's end was seen.
    mutating func endOfInput() {
        guard let decoder, end == .cut, decoder.endOfInput() == .complete else { return }
        responses[responses.count - 1].isWhole = true
        self.decoder = nil
        end = .boundary
    }
}
