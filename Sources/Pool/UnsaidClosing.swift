public import Instances
public import Time

/// Finds out whether a backend closes each connection after one answer without saying so.
///
/// A connection on which only the identity was answered, and that is lost at once, is what such a
/// backend leaves; so does one that dies, but not twice: what was opened after such a loss, said
/// that it ends in the same instance, and is lost as well, tells that the instance lives, and
/// closes. For a while every answer is taken for the last on its connection then.
///
/// An instance that has answered a request on a connection that had told its identity before keeps
/// its connections: that is proven once, and said again by each request, mostly of the instance of
/// the one before, which costs one comparison. Only those that live are kept.
public struct UnsaidClosing {
    private struct Loss {
        var instance: InstanceNumber
        var at: MonotonicTime
    }

    /// A connection that was used for longer than this is no such loss.
    private static let atOnce: Duration = .seconds(1)
    private static let suspicion: Duration = .seconds(30)

    @usableFromInline var latest: InstanceNumber?
    private var others: ContiguousArray<InstanceNumber> = []
    private var loss: Loss?
    private var suspectedUntil = MonotonicTime.zero

    /// Nothing is known, and nothing suspected.
    public init() {}

    /// Whether an answer is to be taken for the last one on its connection.
    public func isSuspected(now: MonotonicTime) -> Bool { now < suspectedUntil }

    /// Whether an instance is known to keep its connections.
    public func isProven(_ instance: InstanceNumber) -> Bool {
        instance == latest || others.contains(instance)
    }

    /// An instance answered on a connection that had carried an answer before.
    @inlinable
    public mutating func persisted(_ instance: InstanceNumber?) {
        guard let instance, instance != latest else { return }
        becomeLatest(instance)
    }

    @usableFromInline
    mutating func becomeLatest(_ instance: InstanceNumber) {
        others.removeAll { $0 == instance }
        if let latest { others.append(latest) }
        latest = instance
    }

    /// The live instances changed.
    public mutating func keep(_ live: LiveInstances) {
        others.removeAll { !live.isLive($0) }
    }

    /// A connection was lost on which the identity was answered, and nothing of another response.
    ///
    /// True if from now on the backend is suspected.
    public mutating func lost(
        _ instance: InstanceNumber,
        openedAt: MonotonicTime,
        identifiedAt: MonotonicTime,
        now: MonotonicTime
    ) -> Bool {
        guard now < identifiedAt + Self.atOnce, !isProven(instance) else { return false }
        let isSuspect = loss.map { $0.instance == instance && openedAt > $0.at } ?? false
        if isSuspect { suspectedUntil = now + Self.suspicion }
        loss = Loss(instance: instance, at: now)
        return isSuspect
    }
}
