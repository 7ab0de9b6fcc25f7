internal import Exchange
internal import Memory
internal import Pool

/// Requests that wait for a backend that is down (contract 4.2, `upstream.hold`); the rules are
/// the pool's.
extension Worker {
    /// Whether a request may wait: nothing of it was sent, and its client is there.
    ///
    /// One that has ended its side cannot be told from one that is gone: to hold its request would
    /// be to do much later what nobody wants any more. It is answered as without `hold`.
    func mayBeHeld(_ exchange: SlabToken) -> Bool {
        !exchanges[exchange].machine.wasSent
            && !downstreams[exchanges[exchange].downstream].wire.isPeerDone
    }

    /// Something happened on the connection of a client that waits.
    mutating func releaseHold(_ exchange: SlabToken) {
        guard downstreams[exchanges[exchange].downstream].wire.isPeerDone,
            pool.releaseHold(ExchangeID(rawValue: exchange.bits))
        else { return }
        failed(exchange, .unreachable)
    }
}
