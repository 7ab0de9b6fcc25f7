internal import Exchange
internal import HTTPModel
internal import Instances
internal import Linux
internal import Memory
internal import Sessions
internal import Time

/// Lychgate's own pages (contract 5), of which the backend sees nothing.
extension Worker {
    /// Answers the request in `requestHead`, which is for one of them.
    mutating func serve(_ page: OwnPage, _ token: SlabToken, _ judgement: Judgement) {
        switch judgement.verdict {
        case .crossSite:
            sayCrossSite(token)
            answer(token, .crossSite)
            return
        case .refused(let cause):
            answer(token, .refused(status: 400, reason: StaticText(cause.text)))
            return
        case .anonymous, .live, .unknownID, .ended, .missing: break
        }
        guard page != .none else {
            answer(token, .notFound)
            return
        }
        guard page.serves(requestHead.method) else {
            answer(token, refusal(of: page, to: token))
            return
        }
        switch page {
        case .events: subscribe(token, judgement)
        case .guardModule:
            let isKnown = AnswerWriter.hasGuard(requestHead, in: downstreams[token].wire.input)
            answer(token, .guardModule(isKnown: isKnown))
        case .session, .status, .none: answer(token, state(of: judgement))
        }
    }

    /// The answer to a method that the page has nothing for; a preflight for it is answered here,
    /// whatever `cors.preflight` says, since the backend has no such page.
    private func refusal(of page: OwnPage, to token: SlabToken) -> Answer {
        guard requestHead.method == .options else {
            return .methodNotAllowed(StaticText(page.methods))
        }
        let preflight = rules.preflight(requestHead, in: downstreams[token].wire.input)
        return preflight.map { .preflight($0) } ?? .ownOptions
    }

    private mutating func state(of judgement: Judgement) -> Answer {
        if case .ended(let end) = judgement.verdict { return .sessionEnded(end) }
        if requestHead.method == .delete {
            return .sessionForgotten(shared.jar.forget(judgement, now: now))
        }
        guard let session = judgement.session else {
            return .noSession(instanceID: onlyInstanceID(liveInstances()) ?? [])
        }
        if events.isDown { return .sessionKept(repeatIsHarmless: true) }
        return .sessionState(
            SessionState(
                instanceID: shared.registry.id(of: session.instance) ?? [],
                since: shared.registry.since(session.instance).map { wallText(of: $0) },
                isKnown: session.isBound
            )
        )
    }

    /// The ID of the instance that lives, if that is one.
    func onlyInstanceID(_ live: LiveInstances) -> [UInt8]? {
        guard live.members?.count ?? 1 == 1 else { return nil }
        return shared.registry.id(of: live.current)
    }

    private func wallText(of time: MonotonicTime) -> String {
        let age = (now.nanoseconds - time.nanoseconds) / 1_000_000
        return UTCTime(milliseconds: WallClock.milliseconds() - max(0, age)).text
    }
}
