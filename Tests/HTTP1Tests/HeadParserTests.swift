import HTTP1
import HTTPModel
import Memory
import Testing

private func verdict(
    _ message: some Collection<UInt8>,
    isRequest: Bool,
    to method: Method
) -> Verdict {
    let input = buffer(message)
    let parser = HeadParser()
    if isRequest {
        var head = RequestHead(fieldCapacity: 100)
        switch parser.parseRequest(input, into: &head) {
        case .complete: return .accepted(head.framing, isPersistent: head.isPersistent)
        case .incomplete: return .incomplete
        case .refused(let refusal): return .refused(refusal.status, refusal.cause)
        }
    }
    var head = ResponseHead(fieldCapacity: 100)
    switch parser.parseResponse(input, to: method, into: &head) {
    case .complete: return .accepted(head.framing, isPersistent: head.isPersistent)
    case .incomplete: return .incomplete
    case .refused(let refusal): return .refused(refusal.status, refusal.cause)
    }
}

@Suite("Heads of the corpus, whole, with more behind them, and cut at every place")
struct HeadCorpusTests {
    @Test("7 requests", arguments: RequestCorpus.all)
    func requests(_ head: HeadCase) {
        check(head, isRequest: true)
    }

    @Test("7 smuggling", arguments: SmugglingCorpus.all)
    func smuggling(_ head: HeadCase) {
        check(head, isRequest: true)
    }

    @Test("7 responses", arguments: ResponseCorpus.all)
    func responses(_ head: HeadCase) {
        check(head, isRequest: false)
    }

    @Test("The corpus is as large as was asked for, and its names are its own")
    func size() {
        let requests = (RequestCorpus.all + SmugglingCorpus.all).map(\.name)
        let responses = ResponseCorpus.all.map(\.name)
        #expect(requests.count + responses.count >= 150)
        #expect(Set(requests).count == requests.count)
        #expect(Set(responses).count == responses.count)
    }

    private func check(_ head: HeadCase, isRequest: Bool) {
        let whole = verdict(head.message, isRequest: isRequest, to: head.method)
        #expect(whole == head.verdict)
        // At every cut, what came first is in order or already refused, and for the same cause.
        for cut in 0..<head.message.count {
            let part = verdict(head.message.prefix(cut), isRequest: isRequest, to: head.method)
            if part == .incomplete { continue }
            guard case .refused = head.verdict, part == head.verdict else {
                Issue.record("\(part) at \(cut)")
                break
            }
        }
        if head.verdict != .incomplete {
            let more = head.message + bytes("\u{0}\r\n\r\nGET")
            #expect(verdict(more, isRequest: isRequest, to: head.method) == head.verdict)
        }
    }
}
