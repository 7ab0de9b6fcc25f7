import HTTP1
import HTTPModel
import Memory
import Testing

/// Bytes from a text in which each character stands for the byte of its number.
func bytes(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
}

func buffer(_ bytes: some Collection<UInt8>) -> Buffer {
    var buffer = Buffer(capacity: max(64, bytes.count))
    buffer.append(Array(bytes))
    return buffer
}

/// What the parser is to make of a message's head.
enum Verdict: Equatable, Sendable {
    case accepted(Framing, isPersistent: Bool)
    case incomplete
    case refused(UInt16, RefusalCause)

    static func accepted(_ framing: Framing) -> Self {
        .accepted(framing, isPersistent: true)
    }

    static func closes(_ framing: Framing) -> Self {
        .accepted(framing, isPersistent: false)
    }

    static func bad(_ cause: RefusalCause) -> Self {
        .refused(400, cause)
    }

    static func badResponse(_ cause: RefusalCause) -> Self {
        .refused(502, cause)
    }
}

/// One head of the corpus, with our verdict on it.
struct HeadCase: Sendable, CustomTestStringConvertible {
    var name: String
    var message: [UInt8]
    var verdict: Verdict
    /// For responses, the method that is answered.
    var method = Method.get

    var testDescription: String { name }

    init(_ name: String, _ text: String, _ verdict: Verdict, to method: Method = .get) {
        self.name = name
        message = bytes(text)
        self.verdict = verdict
        self.method = method
    }

    /// A GET with a Host, and the lines given.
    static func lines(_ name: String, _ lines: String, _ verdict: Verdict) -> Self {
        Self(name, "GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n", verdict)
    }

    /// A POST with a Host, and the lines given.
    static func post(_ name: String, _ lines: String, _ verdict: Verdict) -> Self {
        Self(name, "POST / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n", verdict)
    }

    /// A request with a target of its own.
    static func target(_ name: String, _ start: String, _ verdict: Verdict) -> Self {
        Self(name, "\(start) HTTP/1.1\r\nHost: example.org\r\n\r\n", verdict)
    }

    /// A GET with a Host value of its own.
    static func host(_ name: String, _ value: String, _ verdict: Verdict) -> Self {
        Self(name, "GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n", verdict)
    }

    /// A 200 with the lines given.
    static func ok(
        _ name: String,
        _ lines: String,
        _ verdict: Verdict,
        to method: Method = .get
    ) -> Self {
        Self(name, "HTTP/1.1 200 OK\r\n\(lines)\r\n\r\n", verdict, to: method)
    }

    /// A response without fields but those given, of a status of its own.
    static func status(
        _ name: String,
        _ status: String,
        _ lines: String,
        _ verdict: Verdict,
        to method: Method = .get
    ) -> Self {
        Self(name, "HTTP/1.1 \(status)\r\n\(lines)\r\n", verdict, to: method)
    }
}
