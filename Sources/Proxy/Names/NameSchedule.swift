public import Linux
public import Time

/// When a name is to be resolved, and what of the outcome is news.
///
/// Every 30 s, and after a connection failed at once, but not twice within a second. While it
/// cannot be resolved, the addresses of before stand.
public struct NameSchedule: Sendable {
    /// What others have to know.
    public enum News: Equatable, Sendable {
        /// The name means these now; never none.
        case addresses([SocketAddress])
        /// It cannot be resolved any more, for this reason.
        case failed(String)
        /// It can again, and means what it meant before.
        case recovered
    }

    private static let interval = Nanoseconds(.seconds(30))
    private static let pace = Nanoseconds(.seconds(1))

    private var known: [SocketAddress]
    private var isFailing: Bool
    private var lastAt: MonotonicTime
    private var backOff: Int64 = 1
    /// When to resolve next.
    public private(set) var dueAt: MonotonicTime

    /// The schedule of a name that was resolved at the start, or (without addresses) was not.
    public init(known: [SocketAddress], now: MonotonicTime) {
        self.known = known
        isFailing = known.isEmpty
        lastAt = now
        dueAt = now + (known.isEmpty ? Self.pace : Self.interval)
    }

    /// A connection to one of its addresses failed.
    public mutating func connectionFailed() {
        dueAt = min(dueAt, lastAt + Self.pace)
    }

    /// It was resolved to these, in the resolver's order; none is a failure, too.
    public mutating func resolved(_ found: [SocketAddress], now: MonotonicTime) -> News? {
        guard !found.isEmpty else { return failed("it has no address", now: now) }
        lastAt = now
        dueAt = now + Self.interval
        backOff = 1
        let wasFailing = isFailing
        isFailing = false
        let addresses = SocketAddress.interleaved(found)
        // Resolvers let the addresses of a name take turns; that is no news to whoever has one.
        if addresses.count == known.count && addresses.allSatisfy(known.contains) {
            return wasFailing ? .recovered : nil
        }
        known = addresses
        return .addresses(addresses)
    }

    /// It could not be resolved.
    public mutating func failed(_ reason: String, now: MonotonicTime) -> News? {
        lastAt = now
        dueAt = now + .seconds(backOff)
        backOff = min(backOff * 2, 30)
        if isFailing { return nil }
        isFailing = true
        return .failed(reason)
    }
}
