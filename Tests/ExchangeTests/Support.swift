import Exchange
import HTTP1
import HTTPModel
import Instances
import Memory
import Sessions
import Settings
import Time

extension Buffer {
    init(_ text: String) {
        self.init()
        append(Array(text.utf8))
    }

    /// What waits, as text.
    var text: String { String(decoding: copy(from: 0, count: count), as: UTF8.self) }
}

/// What the rewriters need, made from settings.
struct Workshop {
    var settings: Settings
    let rules: SessionRules
    let jar: Jar

    init(_ change: (inout Settings) -> Void = { _ in }) {
        var settings = Settings()
        change(&settings)
        self.settings = settings
        rules = SessionRules(settings.session)
        jar = Jar(settings.jar, session: settings.session, key: (1, 2))
    }

    /// What goes to the backend for this request.
    func request(
        _ lines: [String],
        client: ClientFacts = ClientFacts(
            ip: Array("10.0.0.9".utf8),
            isTrusted: false,
            isSecure: false
        ),
        edits change: (inout RequestEdits) -> Void = { _ in }
    ) -> [String] {
        let input = Buffer(lines.joined(separator: "\r\n") + "\r\n\r\n")
        var head = RequestHead(fieldCapacity: 100)
        let parser = HeadParser(protected: [Array("x-session-id".utf8)])
        guard parser.parseRequest(input, into: &head) == .complete else { return ["no head"] }
        var edits = RequestEdits()
        change(&edits)
        var out = Buffer()
        // What it is called has tests of its own.
        var source = RequestIDs(seed: (0, 0))
        let requestID = source.next()
        RequestRewriter(settings: settings, defaultHost: Array("backend:8000".utf8)).write(
            head,
            from: input,
            client: client,
            edits: edits,
            requestID: requestID,
            of: source,
            rules: rules,
            into: &out
        )
        return out.lines.filter { $0 != "X-Request-ID: 0000000000000000000000009e3779b1" }
    }

    /// What goes to the client for this response.
    func response(
        _ lines: [String],
        to method: Method = .get,
        edits change: (inout ResponseEdits) -> Void = { _ in }
    ) -> [String] {
        let input = Buffer(lines.joined(separator: "\r\n") + "\r\n\r\n")
        var head = ResponseHead(fieldCapacity: 100)
        guard HeadParser().parseResponse(input, to: method, into: &head) == .complete else {
            return ["no head"]
        }
        var edits = ResponseEdits()
        edits.framing = DownstreamFraming(head.framing, clientMinorVersion: 1)
        change(&edits)
        var out = Buffer()
        if head.isInterim {
            ResponseRewriter.writeInterim(head, from: input, into: &out)
        } else {
            ResponseRewriter.write(head, from: input, edits: edits, rules: rules, into: &out)
        }
        return out.lines
    }

    /// An answer of our own.
    func answer(_ answer: Answer, frame change: (inout AnswerFrame) -> Void = { _ in }) -> String {
        var frame = AnswerFrame()
        change(&frame)
        var out = Buffer()
        AnswerWriter(settings: settings).write(answer, frame: frame, rules: rules, into: &out)
        return out.text
    }

    /// A jar cookie of a session captured now.
    func cookie() -> JarCookie {
        jar.capture(
            Array("session-1".utf8),
            instance: InstanceNumber(rawValue: 1),
            request: Judgement(),
            random: (3, 4),
            now: .zero
        )
    }
}

extension Buffer {
    /// The lines of a head, without the empty ones at its end.
    fileprivate var lines: [String] {
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.suffix(2) == ["", ""] else { return lines + ["(no end)"] }
        lines.removeLast(2)
        return lines
    }
}
