internal import Instances

/// The instances that are known to keep their connections beyond an answer.
///
/// Each request says so again of one of them, and mostly of the one of before: that costs one
/// comparison. Only those that live are kept.
struct ProvenInstances {
    private var latest: InstanceNumber?
    private var others: ContiguousArray<InstanceNumber> = []

    func contains(_ instance: InstanceNumber) -> Bool {
        instance == latest || others.contains(instance)
    }

    mutating func insert(_ instance: InstanceNumber?) {
        guard let instance, instance != latest else { return }
        others.removeAll { $0 == instance }
        if let latest { others.append(latest) }
        latest = instance
    }

    /// The live instances changed.
    mutating func keep(_ live: LiveInstances) {
        others.removeAll { !live.isLive($0) }
    }
}
