internal import Instances

/// How many connections there are of each instance; few instances, so a list is quickest.
struct InstanceCounts: Equatable {
    private struct Entry: Equatable {
        let instance: InstanceNumber
        var count: Int
    }

    private var entries: ContiguousArray<Entry> = []

    func count(_ instance: InstanceNumber) -> Int {
        entries.first { $0.instance == instance }?.count ?? 0
    }

    mutating func add(_ instance: InstanceNumber) {
        if let index = entries.firstIndex(where: { $0.instance == instance }) {
            entries[index].count += 1
        } else {
            entries.append(Entry(instance: instance, count: 1))
        }
    }

    /// True if that was the last one.
    @discardableResult
    mutating func remove(_ instance: InstanceNumber) -> Bool {
        guard let index = entries.firstIndex(where: { $0.instance == instance }) else {
            preconditionFailure("a connection that was never counted")
        }
        entries[index].count -= 1
        guard entries[index].count == 0 else { return false }
        entries.remove(at: index)
        return true
    }
}
