internal import EventLoop
internal import Exchange
internal import Instances
internal import Memory
internal import Sessions

/// Sessions that their clients hold, where there are no jar cookies.
extension Worker {
    /// Keeps an issued session where there are no jar cookies: its client holds it.
    mutating func issueHeld(
        _ exchange: SlabToken,
        _ plan: ResponsePlan,
        sessionID: [UInt8]?,
        _ instance: InstanceNumber
    ) {
        let judgement = exchanges[exchange].judgement
        let live = liveInstances()
        if let sessionID {
            guard !rules.isEcho(sessionID, of: judgement, jar: shared.jar) else { return }
            shared.jar.issue(
                sessionID,
                instance: instance,
                live: live,
                request: judgement,
                now: now
            )
        } else if let value = plan.captured {
            shared.jar.issue(
                value,
                in: upstreams[exchanges[exchange].upstream].wire.input,
                instance: instance,
                live: live,
                request: judgement,
                now: now
            )
        }
    }
}
