internal import CLinux
internal import Glibc
internal import Time

/// What a descriptor that a poller watches belongs to, in the 64 bits that the kernel carries.
public struct PollToken: Equatable, Sendable {
    /// What kind of thing it is; at most 15, the meaning is the loop's.
    public let kind: UInt8
    /// Its place; below 2^28.
    public let index: UInt32
    /// Its generation, so that an event for a former tenant is told from one for the present.
    public let generation: UInt32

    /// A token from its parts.
    public init(kind: UInt8, index: UInt32, generation: UInt32) {
        self.kind = kind & 0xF
        self.index = index & 0xFFF_FFFF
        self.generation = generation
    }

    init(bits: UInt64) {
        kind = UInt8(bits >> 60)
        index = UInt32(truncatingIfNeeded: bits >> 32) & 0xFFF_FFFF
        generation = UInt32(truncatingIfNeeded: bits)
    }

    var bits: UInt64 {
        UInt64(kind) << 60 | UInt64(index) << 32 | UInt64(generation)
    }
}

/// One report of a poller.
public struct PollEvent: Equatable, Sendable {
    /// What it is about.
    public let token: PollToken
    private let flags: UInt32

    init(token: PollToken, flags: UInt32) {
        self.token = token
        self.flags = flags
    }

    /// There is something to read, or an end or an error to be seen by reading.
    public var isReadable: Bool {
        flags & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue) != 0 || isBroken
    }
    /// There is room to write.
    public var isWritable: Bool { flags & EPOLLOUT.rawValue != 0 || isBroken }
    /// The peer has shut its side down; all that it sent may still wait to be read.
    public var isPeerDone: Bool { flags & EPOLLRDHUP.rawValue != 0 }
    /// The connection is broken in both directions.
    public var isBroken: Bool { flags & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 }
}

/// An epoll instance and the events of its last wait.
///
/// Connections are watched edge-triggered for both directions once, when they are made; there is
/// no call to the kernel for a change of interest.
@safe
public struct Poller: ~Copyable {
    private static var batch: Int { 256 }
    private let descriptor: Descriptor
    private let events: UnsafeMutablePointer<epoll_event>

    /// A poller that watches nothing.
    public init() throws(SystemError) {
        let number = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard number >= 0 else { throw .last("epoll_create1") }
        descriptor = Descriptor(number)
        unsafe events = .allocate(capacity: Self.batch)
    }

    deinit {
        unsafe events.deallocate()
    }

    /// Watches a connection, edge-triggered, for reading and writing.
    public func watchConnection(_ number: Int32, _ token: PollToken) throws(SystemError) {
        let flags = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue
        try add(number, flags | clinux_edge_triggered(), token)
    }

    /// Watches for reading, level-triggered; with `isShared`, only one of the pollers that watch
    /// the same open file is woken.
    public func watchReadable(
        _ number: Int32,
        _ token: PollToken,
        isShared: Bool = false
    ) throws(SystemError) {
        try add(number, EPOLLIN.rawValue | (isShared ? clinux_exclusive() : 0), token)
    }

    /// Stops watching.
    public func unwatch(_ number: Int32) {
        // It fails only for what is not watched.
        _ = clinux_epoll_remove(descriptor.number, number)
    }

    private func add(_ number: Int32, _ flags: UInt32, _ token: PollToken) throws(SystemError) {
        guard clinux_epoll_add(descriptor.number, number, flags, token.bits) == 0 else {
            throw .last("epoll_ctl")
        }
    }

    /// Waits until something happens or `timeout` is over (nil: for ever); gives the number of
    /// events.
    public mutating func wait(timeout: Duration?) -> Int {
        var milliseconds: Int32 = -1
        if let timeout {
            // Rounded up, so that a deadline has passed when it is looked at.
            let whole = (max(0, timeout.nanoseconds) + 999_999) / 1_000_000
            milliseconds = Int32(min(whole, 3_600_000))
        }
        // Safe because the array has room for a batch.
        let count = unsafe epoll_wait(descriptor.number, events, Int32(Self.batch), milliseconds)
        // The only failure of a sound call is EINTR; the caller looks at its clock and comes back.
        return max(0, Int(count))
    }

    /// An event of the last wait.
    ///
    /// - Precondition: `index` is less than what `wait` gave.
    public func event(at index: Int) -> PollEvent {
        precondition(index >= 0 && index < Self.batch)
        let event = unsafe events[index]
        return PollEvent(token: PollToken(bits: unsafe event.data.u64), flags: unsafe event.events)
    }
}
