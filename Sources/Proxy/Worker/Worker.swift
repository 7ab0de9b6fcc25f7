internal import EventLoop
internal import Exchange
internal import HTTP1
internal import HTTPModel
internal import Instances
internal import Linux
internal import Memory
internal import Pool
internal import Sessions
internal import Settings
internal import TLS
internal import Time

/// One event loop on one thread, with its connections and the requests on their way.
///
/// Everything of a connection lives in a slab of this value and is named by a token: nothing is
/// shared with other workers, nothing is counted or locked, and an event for something that is
/// gone finds nothing. The files `Worker+….swift` hold one subject each.
struct Worker: ~Copyable {
    /// What a poll token's kind means.
    enum Kind {
        static let listener: UInt8 = 0
        static let downstream: UInt8 = 1
        static let upstream: UInt8 = 2
        static let mailbox: UInt8 = 3
    }

    let shared: Shared
    let mailbox: Mailbox<WorkerMessage>
    let rules: SessionRules
    let headParser: HeadParser
    let requestRewriter: RequestRewriter
    let answerWriter: AnswerWriter
    let patience: Patience
    /// `limits.body_bytes`.
    let contentBytesMax: UInt64
    /// Whether it is the watcher that says which instance a connection ends in.
    let isWatching: Bool

    var poller: Poller
    var listeners = Slab<Listener>()
    var downstreams = Slab<Downstream>()
    var upstreams = Slab<Upstream>()
    var exchanges = Slab<ExchangeState>()
    var pool: Pool
    var buffers = BufferPool()
    var deadlines = Deadlines()
    var wallTime: WallTime

    /// The head that was parsed last, and for whom; filled anew for each message.
    var requestHead: RequestHead
    var requestHeadOwner = SlabToken.none
    var responseHead: ResponseHead

    var requestIDs: RequestIDs
    var access: AccessLines

    var now: MonotonicTime
    /// Which instances live, where they are several, as last read.
    var liveAmongMany = LiveInstances(current: .none, epoch: 0)
    /// Downstream connections that have something to do before the loop waits again.
    var ready: ContiguousArray<SlabToken> = []
    /// Connections that were granted to exchanges that had waited.
    var grants: ContiguousArray<Grant> = []
    /// Until then new connections are not asked who answers: a question was not answered in time.
    var asksNotBefore = MonotonicTime.zero
    /// Connections that are kept as signs of life of one of several instances; hardly ever any.
    var witnesses: ContiguousArray<SlabToken> = []
    /// Whether the backend is taken to close after each answer, whatever it says.
    var unsaidClosing = UnsaidClosing()
    /// What subscribers are told, and the text of it.
    var events: BackendEvents
    var eventText = Buffer()
    /// From which place of `downstreams` on they have still to be told the latest.
    var untoldFrom: Int?
    /// What the watcher said last, where its word counts.
    var word: WatcherWord?
    /// Whether it is to say more, and whether what it said last was wanted and not used yet.
    var isWordWanted = false
    var isWordFresh = false
    /// Whether it was said that the backend's instances cannot be told apart.
    var saidCannotTellApart = false
    /// Where the backend listens, and which of these addresses answered last.
    var addresses: [SocketAddress]
    var addressIndex = 0
    /// Connections above `limits.connections` that are being told so.
    var turnedAway = 0
    /// When it was last said that accepting pauses.
    var acceptWarningAt = MonotonicTime.zero
    /// When a cross-site request was last spoken of.
    var crossSiteWarningAt = MonotonicTime.zero
    /// When a failed handshake with the backend, or with clients, was last spoken of.
    var handshakeWarningAt = MonotonicTime.zero
    var clientHandshakeNoteAt = MonotonicTime.zero
    /// What the next connection to the backend can go on from.
    var resumption = TLSResumption()
    /// When an answer was last spoken of that a browser hides.
    var hiddenAnswerSaidAt = MonotonicTime.zero
    /// Accepting pauses until then, for want of descriptors.
    var acceptsNotBefore: MonotonicTime?
    /// When what is in flight is given up, once the worker was told to stop.
    var stopBy: MonotonicTime?

    /// A connection for an exchange that had waited.
    struct Grant {
        let exchange: SlabToken
        let connection: SlabToken
    }

    /// A worker; `seed` is random, and a different one for each.
    init(
        shared: Shared,
        mailbox: Mailbox<WorkerMessage>,
        seed: (UInt64, UInt64)
    ) throws(SystemError) {
        let poller = try Poller()
        try poller.watchReadable(
            mailbox.number,
            PollToken(kind: Kind.mailbox, index: 0, generation: 0)
        )
        self.poller = poller
        self.shared = shared
        self.mailbox = mailbox
        rules = shared.rules
        headParser = shared.headParser
        requestRewriter = shared.requestRewriter
        answerWriter = shared.answerWriter
        patience = Patience(shared.settings)
        isWatching = shared.isWatching
        contentBytesMax = shared.settings.limits.bodyBytes.map { UInt64(clamping: $0) } ?? .max
        let upstream = shared.settings.upstream
        pool = Pool(
            limits: PoolLimits(
                connectionsMax: upstream.maxConnections,
                queueTimeout: upstream.queueTimeout,
                idleTimeout: upstream.idleTimeout,
                probesMax: shared.settings.identity.maxProbes,
                tetherRest: Patience.tetherRest(shared.settings.identity),
                trustsUnverified: shared.settings.identity.unverified == .forward,
                hold: upstream.hold,
                asks: !shared.isWatching
            )
        )
        requestHead = RequestHead(fieldCapacity: shared.settings.limits.headerCount)
        responseHead = ResponseHead(fieldCapacity: shared.settings.limits.headerCount)
        requestIDs = RequestIDs(seed: seed)
        addresses = shared.upstreamAddresses
        events = BackendEvents(origin: shared.eventOrigin)
        wallTime = WallTime(shared.settings.log.access)
        access = AccessLines(shared.settings.log.access, log: shared.accessLog)
        now = MonotonicClock.now()
    }

    /// Takes a listening socket in; of a unix socket's there are several for one queue.
    mutating func listen(
        on listener: consuming Listener
    ) throws(SystemError) {
        let number = listener.socket.number
        let isShared = listener.socket.address.isUnix
        let token = listeners.insert(listener)
        try poller.watchReadable(number, token.poll(Kind.listener), isShared: isShared)
    }

    /// Runs until told to stop and everything in flight is finished, or given up.
    mutating func run() {
        openConnections()
        while !isDone { _ = turn(timeout: timeToWait) }
        for index in 0..<downstreams.placeCount {
            guard let token = downstreams.token(at: index) else { continue }
            if access.isOn { noteCutOff(token) }
            closeDownstream(token)
        }
        access.handOver()
    }

    /// Waits for events, at most for `timeout` (nil: for ever), and handles them; gives how many
    /// there were.
    mutating func turn(timeout: Duration?) -> Int {
        let count = poller.wait(timeout: timeout)
        now = MonotonicClock.now()
        // The backend's side first: a pooled connection that has ended is known before a
        // request of the same turn could be written to it, and one that is free serves it.
        for index in 0..<count { handleUpstream(poller.event(at: index)) }
        for index in 0..<count { handleOther(poller.event(at: index)) }
        settle()
        if deadlines.beginSweep(now: now) {
            sweep()
            settle()
        }
        access.handOver()
        return count
    }

    private var isDone: Bool {
        guard let stopBy else { return false }
        return downstreams.count == 0 || now >= stopBy
    }

    private var timeToWait: Duration? {
        if !grants.isEmpty || !ready.isEmpty || untoldFrom != nil { return .zero }
        var wake = min(deadlines.wakeTime ?? .distantFuture, pool.nextQueueDeadline)
        if pool.isSearching { wake = min(wake, pool.nextProbeTime) }
        if pool.isDown { wake = min(wake, pool.nextRetryTime) }
        if let acceptsNotBefore { wake = min(wake, acceptsNotBefore) }
        if let stopBy { wake = min(wake, stopBy) }
        if wake <= now { return .zero }
        return wake == .distantFuture ? nil : wake - now
    }

    private mutating func handleUpstream(_ event: PollEvent) {
        guard event.token.kind == Kind.upstream else { return }
        let token = SlabToken(index: event.token.index, generation: event.token.generation)
        // An event may be for a former tenant of the place.
        guard upstreams.contains(token) else { return }
        upstreams[token].wire.note(event)
        upstreamReady(token)
    }

    private mutating func handleOther(_ event: PollEvent) {
        let token = SlabToken(index: event.token.index, generation: event.token.generation)
        switch event.token.kind {
        case Kind.downstream where downstreams.contains(token):
            downstreams[token].wire.note(event)
            downstreamReady(token, isBroken: event.isBroken)
        case Kind.listener where listeners.contains(token): accept(token)
        case Kind.mailbox: readMail()
        default: break
        }
    }

    /// Does what the events of this turn left to do.
    ///
    /// What that leaves to do in turn has to wait for the next turn, which then does not sleep: a
    /// client that always has more would else keep everyone waiting.
    private mutating func settle() {
        if acceptsNotBefore != nil { resumeAccepting() }
        if pool.nextQueueDeadline <= now { failWaiters() }
        if !grants.isEmpty {
            var granted: ContiguousArray<Grant> = []
            swap(&granted, &grants)
            for grant in granted { connectionGranted(grant) }
        }
        if !ready.isEmpty {
            var tokens: ContiguousArray<SlabToken> = []
            swap(&tokens, &ready)
            for token in tokens where downstreams.contains(token) {
                downstreamReady(token, isBroken: false)
            }
        }
        if untoldFrom != nil { tellSubscribers() }
        openConnections()
    }

    private mutating func readMail() {
        for message in mailbox.drain() {
            switch message {
            case .backendUp:
                asksNotBefore = .zero
                pool.backendUp()
                noteEvent(.up)
            case .backendDown: noteEvent(.down)
            case .instancesChanged:
                asksNotBefore = .zero
                retireIdle()
                noteEvent(.instances)
            case .watched(let word): take(word)
            case .addresses(let addresses): take(addresses)
            case .stop(let by): stop(by: by)
            }
        }
    }

    private mutating func stop(by deadline: MonotonicTime) {
        stopBy = deadline
        for index in 0..<listeners.placeCount {
            guard let token = listeners.token(at: index) else { continue }
            // Who has connected already is served.
            accept(token)
            poller.unwatch(listeners[token].socket.number)
            _ = listeners.remove(token)
        }
        endStreams()
        for connection in pool.drain() {
            discardUpstream(SlabToken(connection))
        }
        for index in 0..<downstreams.placeCount {
            guard let token = downstreams.token(at: index), isIdle(token) else { continue }
            // A request may wait in the kernel; only one that has sent none is let go.
            downstreams[token].wire.isReadable = true
            downstreamReady(token, isBroken: false)
            if isIdle(token) { closeDownstream(token) }
        }
    }

    private func isIdle(_ token: SlabToken) -> Bool {
        downstreams.contains(token) && downstreams[token].phase == .head
            && downstreams[token].wire.input.isEmpty
    }
}

extension SlabToken {
    /// As the poller carries it.
    func poll(_ kind: UInt8) -> PollToken {
        PollToken(kind: kind, index: index, generation: generation)
    }

    /// As the pool knows it.
    var bits: UInt64 { UInt64(index) << 32 | UInt64(generation) }

    init(bits: UInt64) {
        self.init(
            index: UInt32(truncatingIfNeeded: bits >> 32),
            generation: UInt32(truncatingIfNeeded: bits)
        )
    }

    init(_ connection: ConnectionID) {
        self.init(bits: connection.rawValue)
    }

    init(_ exchange: ExchangeID) {
        self.init(bits: exchange.rawValue)
    }
}
