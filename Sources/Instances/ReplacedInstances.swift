internal import Time

/// The instances that are gone: a bounded number, the oldest forgotten first.
///
/// An ID can stand here under several numbers (it came back and was replaced again); the latest
/// one is found by ID. One that lives again under its old number goes on standing here.
struct ReplacedInstances {
    struct Entry: Equatable {
        var number: InstanceNumber
        var id: [UInt8]
        /// A connection opened later than this cannot end in that instance, if there is only one.
        var replacedAt: MonotonicTime
        /// Whether it was the current instance, and not first seen when it was gone already.
        var wasCurrent: Bool
    }

    let capacity: Int
    private var entries: [InstanceNumber: Entry] = [:]
    private var latest: [[UInt8]: InstanceNumber] = [:]
    /// A ring of the numbers in the order of their coming, once it is full.
    private var order: [InstanceNumber] = []
    private var oldest = 0

    init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    var count: Int { order.count }

    func entry(_ id: [UInt8]) -> Entry? {
        latest[id].flatMap { entries[$0] }
    }

    func id(of number: InstanceNumber) -> [UInt8]? {
        entries[number]?.id
    }

    /// Those that were replaced later than that.
    func numbers(replacedAfter time: MonotonicTime) -> [InstanceNumber] {
        entries.values.filter { $0.replacedAt > time }.map(\.number)
    }

    mutating func add(_ entry: Entry) {
        if entries[entry.number] != nil {
            // It came back under its number, and is gone again: its place is kept.
            entries[entry.number] = entry
            latest[entry.id] = entry.number
            return
        }
        if order.count < capacity {
            order.append(entry.number)
        } else {
            forget(order[oldest])
            order[oldest] = entry.number
            oldest = (oldest + 1) % capacity
        }
        entries[entry.number] = entry
        latest[entry.id] = entry.number
    }

    private mutating func forget(_ number: InstanceNumber) {
        guard let entry = entries.removeValue(forKey: number) else { return }
        if latest[entry.id] == number {
            latest[entry.id] = nil
        }
    }
}
