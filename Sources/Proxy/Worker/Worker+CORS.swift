internal import EventLoop
internal import Exchange
internal import HTTP1
internal import HTTPModel
internal import Memory
internal import Sessions
internal import Settings
internal import Time

/// Pages of other origins (contract 4.4).
extension Worker {
    /// Any page of the world may cause the line that names it.
    private static var hiddenAnswerPace: Duration { .seconds(10) }

    /// Answers the request in `requestHead` if it is a preflight of a page that is listed.
    mutating func answerPreflight(_ token: SlabToken) -> Bool {
        guard let preflight = rules.preflight(requestHead, in: downstreams[token].wire.input)
        else { return false }
        if access.isOn { noteRequest(token, Judgement(), requestIDs.next()) }
        answer(token, .preflight(preflight))
        return true
    }

    /// Says which setting would let a page read the answer that it is about to get; the head that
    /// it is for stands at the front of the input.
    mutating func sayHidden(_ token: SlabToken, _ reply: Answer) {
        guard downstreams[token].origin == nil,
            now >= hiddenAnswerSaidAt + Self.hiddenAnswerPace
        else { return }
        switch reply {
        case .crossSite, .preflight, .ownOptions: return
        default: break
        }
        if requestHeadOwner != token {
            requestHeadOwner = .none
            let outcome = headParser.parseRequest(
                downstreams[token].wire.input,
                into: &requestHead
            )
            guard outcome == .complete else { return }
            requestHeadOwner = token
        }
        guard let origin = rules.hiddenFrom(requestHead, in: downstreams[token].wire.input) else {
            return
        }
        hiddenAnswerSaidAt = now
        shared.log.write(
            .warning,
            "a page of \(origin) was answered \(answerWriter.status(of: reply)) by Lychgate "
                + "itself, which its browser hides from it; this line would show it: "
                + "cors: { origins: [ \"\(origin)\" ] }"
        )
    }
}
