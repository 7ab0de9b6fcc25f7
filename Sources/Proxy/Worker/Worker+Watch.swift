internal import EventLoop
internal import Instances
internal import Memory
internal import Pool
internal import Time

/// `identity.verify: watch`: nothing is asked on connections, the watcher's word counts (3.2).
///
/// A connection belongs to the instance that answered the watcher last, and is closed once another
/// one does. When a connection is lost or refused, what the watcher knew before says nothing any
/// more: none is opened until it has asked once more, which it does at once. What is left is a
/// restart of which no connection tells, until the watcher's next question.
///
/// The wait comes before the opening: a backend that serves one connection at a time would wait on
/// that one, and never answer the watcher.
extension Worker {
    /// A connection was lost or refused, of which the control thread hears.
    mutating func tellLoss(_ message: ControlMessage) {
        if isWatching { lossAt = now }
        shared.control.send(message)
    }

    /// Whether connections may be opened by what the watcher knows; if not, it is to ask.
    mutating func mayOpen() -> Bool {
        guard let word else { return false }
        if word.askedAt >= lossAt, !word.isDown || isWordFresh {
            isWordFresh = false
            return true
        }
        if !isWordWanted {
            isWordWanted = true
            shared.control.send(.wordWanted)
        }
        return false
    }

    /// A connection is made, or an old one is to be used although the watcher has said more since.
    mutating func presume(_ token: SlabToken) {
        guard let word, word.askedAt >= lossAt else {
            setDeadline(ofUpstream: token, now + patience.identity)
            shared.control.send(.wordWanted)
            return
        }
        if let instance = upstreams[token].instance, instance != word.instance {
            openingFailed(token, .closed, "it was made to another instance")
            return
        }
        presumed(token, word.instance)
    }

    /// The watcher has asked.
    mutating func take(_ word: WatcherWord) {
        self.word = word
        // That the backend was down a while ago says nothing.
        isWordFresh = isWordWanted
        isWordWanted = false
        guard word.askedAt >= lossAt else { return }
        for index in 0..<upstreams.placeCount {
            guard let token = upstreams.token(at: index), upstreams[token].phase == .asking else {
                continue
            }
            presume(token)
        }
    }

    /// The watcher does not come to say anything.
    mutating func presumeUnverified(_ token: SlabToken) {
        let isKnown = liveInstances().current != .none
        presumed(token, isKnown ? .unverified : .none)
    }

    mutating func lostWhilePresuming(_ token: SlabToken) {
        openingFailed(token, .closed, "the connection was lost before the watcher had asked")
    }

    private mutating func presumed(_ token: SlabToken, _ instance: InstanceNumber) {
        let observation = Observation(instance: instance, live: liveInstances())
        verified(token, observation, persists: true, wasAsked: false)
    }
}
