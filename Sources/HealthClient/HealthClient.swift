internal import CCurl

/// Asks a backend for its identity, one question at a time, over libcurl.
///
/// The owner's thread calls `ask`, then `poll` until the answer is there; in between it waits for
/// its own descriptors too, so that one thread does both. Nothing of the environment counts: no
/// proxy, no credentials file, no redirect; and no other protocol than HTTP.
@safe
public struct HealthClient: ~Copyable {
    private let multi: UnsafeMutableRawPointer
    private var easy: EasyHandle
    private let place: HealthTarget.Place
    /// What the host's name means from the next question on, where that is news.
    private var addresses: [String]?
    /// Whether a question is under way.
    public private(set) var isAsking = false
    private var connection = HealthConnection.once
    /// The outcome of a question that could not even be begun.
    private var stillborn: HealthAnswer?

    /// A client for one target.
    public init(_ target: HealthTarget) throws(HealthClientError) {
        // Since libcurl 7.84 any thread may do this at any time, and again.
        guard curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK else {
            throw .library("libcurl cannot be initialised")
        }
        let easy = try EasyHandle.make(target)
        guard let multi = unsafe curl_multi_init() else {
            throw .library("no memory for a request")
        }
        unsafe self.multi = multi
        self.easy = easy
        place = target.place
        _ = unsafe ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 1)
    }

    deinit {
        if isAsking {
            unsafe curl_multi_remove_handle(multi, easy.handle)
        }
        unsafe curl_multi_cleanup(multi)
    }

    /// Has the host's name mean these addresses, from the next question on, whatever name servers
    /// say.
    public mutating func takeAddresses(_ addresses: [String]) {
        self.addresses = addresses
    }

    /// Begins a question: connects, without waiting; gives up one that is under way.
    public mutating func ask(over connection: HealthConnection = .once) {
        cancel()
        self.connection = connection
        if let addresses, case .host(let host, let port) = place {
            easy.setMeaning(of: host, port: port, addresses)
            self.addresses = nil
        }
        easy.prepare(for: connection)
        let code = unsafe curl_multi_add_handle(multi, easy.handle)
        guard code == CURLM_OK else {
            let words = unsafe String(cString: curl_multi_strerror(code))
            stillborn = HealthAnswer(status: 0, body: [], failure: .other(words))
            return
        }
        isAsking = true
        perform()
    }

    /// Gives up the question that is under way, if one is.
    public mutating func cancel() {
        stillborn = nil
        guard isAsking else { return }
        unsafe curl_multi_remove_handle(multi, easy.handle)
        isAsking = false
    }

    /// Waits once: for the answer to make progress, a descriptor to be readable, one of those that
    /// are `awaitingRoom` to be writable, or the time.
    ///
    /// May come back with nothing before the time is up: the caller looks at its clock.
    public mutating func poll(
        timeout: Duration,
        watching descriptors: [Int32] = [],
        awaitingRoom: [Int32] = []
    ) -> HealthWait {
        var watched = descriptors.map { descriptor in
            curl_waitfd(fd: descriptor, events: Int16(CURL_WAIT_POLLIN), revents: 0)
        }
        for descriptor in awaitingRoom {
            watched.append(
                curl_waitfd(fd: descriptor, events: Int16(CURL_WAIT_POLLOUT), revents: 0)
            )
        }
        var wait = HealthWait(answer: takeAnswer())
        // Safe because the array is not touched during the call, which fills in `revents`.
        _ = unsafe curl_multi_poll(
            multi,
            &watched,
            UInt32(watched.count),
            wait.answer == nil ? Self.milliseconds(timeout) : 0,
            nil
        )
        for entry in watched.prefix(descriptors.count) where entry.revents != 0 {
            wait.readable.append(entry.fd)
        }
        if isAsking {
            perform()
            wait.answer = takeAnswer()
        }
        return wait
    }

    private mutating func perform() {
        var running: Int32 = 0
        unsafe curl_multi_perform(multi, &running)
    }

    private mutating func takeAnswer() -> HealthAnswer? {
        guard isAsking else { return stillborn.take() }
        let result = unsafe ccurl_result(multi)
        guard result >= 0 else { return nil }
        let answer = easy.answer(result: CURLcode(UInt32(result)), over: connection)
        cancel()
        return answer
    }

    /// Whole milliseconds, rounded up so that a wait does not end just before its time.
    static func milliseconds(_ duration: Duration) -> Int32 {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let rest = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        let (sum, carry) = whole.addingReportingOverflow(rest)
        return overflow || carry ? .max : Int32(clamping: sum)
    }
}
