internal import EventLoop
internal import Instances
internal import Linux
internal import Memory
internal import Pool
internal import Time

/// Connections that are of no more use but to show the end of an instance (contract 3.4).
///
/// That the last connection to one of several instances ends is how its end shows. So it must be
/// the instance that ends it: were it Lychgate, because a client went away or an answer did not
/// come, an instance that is merely busy would be silent among siblings that answer, and count as
/// gone. Such a connection is shut down for writing, as a close would, and kept: what comes on it
/// is read and forgotten, until it ends, there is another one to the same instance, or the
/// instance is gone.
extension Worker {
    /// Keeps a connection that the pool has forgotten as the witness of its instance.
    mutating func keepAsWitness(_ token: SlabToken) {
        upstreams[token].phase = .witness
        upstreams[token].exchange = .none
        upstreams[token].deadline = .distantFuture
        buffers.give(upstreams[token].wire.input.takeStorage())
        buffers.give(upstreams[token].wire.output.takeStorage())
        // Without TLS's word for a whole message: the request may be cut.
        Socket.finishWriting(upstreams[token].wire.descriptor.number)
        witnesses.append(token)
        // Its end may have been told already, and is not told twice.
        upstreams[token].wire.isReadable = true
        attend(token)
    }

    /// Reads what comes for nobody.
    mutating func attend(_ token: SlabToken) {
        buffers.equip(&upstreams[token].wire.input)
        defer {
            if upstreams.contains(token) { buffers.strip(&upstreams[token].wire.input) }
        }
        var budget = TransferOutcome.bytesPerTurn
        while budget > 0 {
            upstreams[token].wire.input.reserve(1)
            // Not through TLS: what it says does not matter.
            let number = upstreams[token].wire.descriptor.number
            switch Socket.read(number, into: &upstreams[token].wire.input) {
            case .bytes(let count):
                budget -= count
                upstreams[token].wire.input.removeAll()
            case .wouldBlock: return
            case .endOfInput, .failed:
                dismiss(token)
                return
            }
        }
        // More than a turn's worth; the next sweep goes on.
        setDeadline(ofUpstream: token, now)
    }

    /// There is another connection to an instance.
    mutating func dismissWitnesses(of instance: InstanceNumber) {
        for token in witnesses where upstreams[token].held == instance { dismiss(token) }
    }

    /// What is known of instances that live no more needs no witness.
    mutating func dismissWitnesses(unlessLive live: LiveInstances) {
        for token in witnesses where !(upstreams[token].held.map(live.isLive) ?? false) {
            dismiss(token)
        }
    }

    private mutating func dismiss(_ witness: SlabToken) {
        witnesses.removeAll { $0 == witness }
        discardUpstream(witness)
    }
}
