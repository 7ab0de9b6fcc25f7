internal import Time

/// The instances that live side by side (contract 3.4), and which of them are being looked for.
///
/// As long as a connection to an instance is open, its process lives. When the last one is lost,
/// that alone says little: servers close idle connections. So it is looked for, and is gone once
/// others have answered on so many connections opened since that it would have been met, for at
/// least `grace`. While nobody answers at all (the network is down, the service is stopped)
/// nothing is learnt of it, and its sessions wait.
struct Members {
    struct Member: Equatable {
        var number: InstanceNumber
        var id: [UInt8]
        /// When the first of the connections that end in it was opened.
        var openedAt: MonotonicTime
        /// Since when no connection to it is open.
        var lostAt: MonotonicTime?
        /// When another instance first answered on a connection opened after that.
        var missedSince: MonotonicTime?
        /// How often others did.
        var misses = 0
    }

    /// More do not live at a time: what goes beyond is no set of worker processes, and each is
    /// worth a connection from each worker, which is asked every second.
    static let countMax = 256
    /// So many answers of others for each that lives: if the one that is missed took its share of
    /// connections, one in ten million such searches would end without it.
    static let missesForEach = 16

    private(set) var list: [Member] = []

    var isEmpty: Bool { list.isEmpty }
    var isFull: Bool { list.count >= Self.countMax }
    var numbers: [InstanceNumber] { list.map(\.number) }
    var isAnyLost: Bool { list.contains { $0.lostAt != nil } }
    /// The one that came last; the numbers of those that came back are older.
    var newest: Member? { list.max { $0.number.rawValue < $1.number.rawValue } }

    func member(_ id: [UInt8]) -> Member? { list.first { $0.id == id } }

    func id(of number: InstanceNumber) -> [UInt8]? {
        list.first { $0.number == number }?.id
    }

    mutating func add(_ member: Member) {
        list.append(member)
    }

    mutating func removeAll() {
        list = []
    }

    /// An instance answered on a connection.
    mutating func answered(_ number: InstanceNumber, openedAt: MonotonicTime, now: MonotonicTime) {
        for index in list.indices {
            if list[index].number == number {
                list[index].openedAt = min(list[index].openedAt, openedAt)
                // Found, if not held yet.
                if list[index].lostAt != nil { lost(index, now) }
            } else if let lostAt = list[index].lostAt, openedAt > lostAt {
                list[index].misses += 1
                list[index].missedSince = list[index].missedSince ?? now
            }
        }
    }

    /// A connection to an instance is open.
    mutating func held(_ number: InstanceNumber) {
        guard let index = index(of: number) else { return }
        list[index].lostAt = nil
        list[index].missedSince = nil
        list[index].misses = 0
    }

    /// The last connection to an instance is gone; false if it does not live anyway.
    mutating func lost(_ number: InstanceNumber, now: MonotonicTime) -> Bool {
        guard let index = index(of: number) else { return false }
        lost(index, now)
        return true
    }

    /// Takes out those that are gone by now.
    mutating func removeGone(grace: Duration, now: MonotonicTime) -> [Member] {
        let missesMin = Self.missesForEach * list.count
        let gone = list.filter { member in
            guard let since = member.missedSince else { return false }
            return member.misses >= missesMin && now >= since + grace
        }
        if !gone.isEmpty { list.removeAll { gone.contains($0) } }
        return gone
    }

    private func index(of number: InstanceNumber) -> Int? {
        list.firstIndex { $0.number == number }
    }

    private mutating func lost(_ index: Int, _ now: MonotonicTime) {
        list[index].lostAt = now
        list[index].missedSince = nil
        list[index].misses = 0
    }
}
