/// How many pairs may be in progress at a time against a backend that closes after each answer.
///
/// A single-threaded server of that kind often has a queue of five connections (Python's
/// `http.server`, `wsgiref`). When the queue is full, the system drops the carrier of a pair whose
/// asker the server already waits for, and both wait until a time-out. So the window starts at one
/// pair, which such a server can always take in, and grows only on proof that the backend serves
/// connections side by side: an asker was answered although a carrier that had been leased before
/// the asker was opened is still in use. A time-out takes the growth back. Carriers that are
/// leased do not count, so the window limits how fast new connections are verified, not how many
/// requests the backend works on.
struct PairingWindow {
    /// What was so when an asker was opened.
    struct Stamp {
        var leased: Int = 0
        var returned: Int = 0
    }

    /// How many pairs may be verified at a time; at least one.
    private(set) var limit = 1
    private var leased = 0
    private var returned = 0

    /// The stamp of an asker that is opened now.
    var stamp: Stamp { Stamp(leased: leased, returned: returned) }

    mutating func carrierLeased() {
        leased += 1
    }

    mutating func carrierReturned() {
        leased -= 1
        returned += 1
    }

    mutating func askerAnswered(_ stamp: Stamp) {
        // Even if all that came back since were leased before, one of those is still out.
        if stamp.leased > returned - stamp.returned { limit = min(limit + 1, 64) }
    }

    mutating func timedOut() {
        limit = 1
    }
}
