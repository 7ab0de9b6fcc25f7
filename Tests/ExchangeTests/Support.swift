import Exchange
import HTTP1
import HTTPModel
import Instances
import Memory
import Sessions
import Settings
import Testing
import Time

/// A buffer's waiting bytes as text.
func string(_ buffer: borrowing Buffer) -> String {
    String(decoding: buffer.copy(from: 0, count: buffer.count), as: UTF8.self)
}

/// A message that came in: the bytes of its head, and something of the next one behind them.
func received(_ text: String) -> Buffer {
    var buffer = Buffer()
    // What was read before must not move the ranges of the head.
    buffer.append("read already")
    buffer.append(Array((text + "content").utf8))
    buffer.consume(12)
    return buffer
}

/// Settings of session rules with some change.
func rules(_ change: (inout SessionSettings) -> Void = { _ in }) -> SessionRules {
    var settings = SessionSettings()
    change(&settings)
    return SessionRules(settings)
}

/// A client on loopback.
func client(isTrusted: Bool = false, isSecure: Bool = false) -> ClientFacts {
    ClientFacts(ip: Array("192.0.2.7".utf8), isTrusted: isTrusted, isSecure: isSecure)
}

/// The fields that end a request head of an untrusted client with `Host: a`.
let forwarding =
    "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n"
let via = "Via: 1.1 lychgate\r\n"

/// A request head, parsed as a worker does it and rewritten for the backend.
func rewritten(
    _ text: String,
    client: ClientFacts = client(),
    rules: SessionRules = rules(),
    settings: Settings = Settings(),
    edits: (borrowing RequestHead) -> RequestEdits = { _ in RequestEdits() }
) -> String {
    let input = received(text)
    let parser = HeadParser(protected: [Array(settings.session.carrierHeader.lowercased().utf8)])
    var head = RequestHead(fieldCapacity: 100)
    let parse = parser.parseRequest(input, into: &head)
    guard parse == .complete, head.byteCount == text.utf8.count else { return "\(parse)" }
    var out = Buffer()
    out.append("before|")
    // What it is named has tests of its own.
    var source = RequestIDs(seed: (0, 0))
    let requestID = source.next()
    let named = "X-Request-ID: 0000000000000000000000009e3779b1\r\n"
    RequestRewriter(settings: settings, defaultHost: Array("backend:8000".utf8)).write(
        head,
        from: input,
        client: client,
        edits: edits(head),
        requestID: requestID,
        of: source,
        rules: rules,
        into: &out
    )
    let written = string(out).replacing(named, with: "")
    return written.hasPrefix("before|") ? String(written.dropFirst(7)) : "what was there is gone"
}

/// A line of its own, such as the one that says the date.
func line(_ text: String) -> Buffer {
    var line = Buffer()
    line.append(Array(text.utf8))
    return line
}

/// A response head, parsed as a worker does it and rewritten for the client.
func rewrittenResponse(
    _ text: String,
    to method: HTTPModel.Method = .get,
    isInterim: Bool = false,
    date: String = "",
    rules: SessionRules = rules(),
    edits: (borrowing ResponseHead) -> ResponseEdits = { _ in ResponseEdits() }
) -> String {
    let input = received(text)
    var head = ResponseHead(fieldCapacity: 100)
    let parse = HeadParser().parseResponse(input, to: method, into: &head)
    guard parse == .complete, head.byteCount == text.utf8.count else { return "\(parse)" }
    guard head.isInterim == isInterim else { return "interim: \(head.isInterim)" }
    var out = Buffer()
    out.append("before|")
    if isInterim {
        ResponseRewriter.writeInterim(head, from: input, rules: rules, into: &out)
    } else {
        ResponseRewriter.write(
            head,
            from: input,
            edits: edits(head),
            date: line(date),
            rules: rules,
            into: &out
        )
    }
    let written = string(out)
    return written.hasPrefix("before|") ? String(written.dropFirst(7)) : "what was there is gone"
}

/// Whether a request's connection counts as TLS.
func isSecure(_ text: String, _ client: ClientFacts) -> Bool? {
    let input = received(text)
    var head = RequestHead(fieldCapacity: 100)
    guard HeadParser().parseRequest(input, into: &head) == .complete else { return nil }
    return head.isSecure(client, in: input)
}
