internal import Linux
internal import Memory
internal import Pool
internal import Time

/// Where the backend listens, as a worker meets it: a name may mean several addresses, and others
/// later.
extension Worker {
    /// The backend's name means other addresses (never none): new connections go there.
    ///
    /// What is on its way to another one turns round, what is idle is closed, and what carries a
    /// request or a tunnel is closed behind it. Else a backend that was moved away from while it
    /// lived would be sent requests for as long as there are any.
    mutating func take(_ found: [SocketAddress]) {
        let last = addresses.isEmpty ? nil : addresses[addressIndex]
        addresses = found
        addressIndex = found.firstIndex { $0 == last } ?? 0
        if pool.isDown { pool.backendUp() }
        for index in 0..<upstreams.placeCount {
            guard let token = upstreams.token(at: index) else { continue }
            let address = upstreams[token].address
            let place = found.firstIndex { $0 == address }
            upstreams[token].isOutdated = place == nil
            switch upstreams[token].phase {
            case .connecting where !upstreams[token].isCarrier:
                upstreams[token].firstAddress = place ?? addressIndex
                upstreams[token].failedAttempts = place == nil ? -1 : 0
                if place == nil && !tryNextAddress(token) {
                    openingFailed(token, .closed, "its address is not the backend's any more")
                }
            case .idle where place == nil: closeOutdated(token)
            case .connecting, .connected, .asking, .reconnecting, .idle, .leased, .tunnel, .witness:
                break
            }
        }
    }

    mutating func closeOutdated(_ token: SlabToken) {
        _ = pool.closed(ConnectionID(rawValue: token.bits), now: now)
        discardUpstream(token)
    }

    /// Each address has its share of `connect_timeout`, so that all were tried when it is over.
    var attemptDeadline: MonotonicTime {
        let share = patience.connect.count / Int64(max(1, addresses.count))
        return MonotonicTime(nanoseconds: now.nanoseconds &+ share)
    }

    /// A name may mean several addresses, of which some may have no listener.
    mutating func tryNextAddress(_ token: SlabToken) -> Bool {
        // What a carrier's asker said of another address says nothing of this one.
        guard !upstreams[token].isCarrier else { return false }
        var attempt = upstreams[token].failedAttempts + 1
        guard attempt < addresses.count else { return false }
        do {
            let openedAt = MonotonicClock.now()
            let first = upstreams[token].firstAddress
            let descriptor = try connect(from: first, &attempt)
            let address = addresses[(first + attempt) % addresses.count]
            bind(token, to: nil)
            upstreams[token].replaceSocket(descriptor, address: address, openedAt: openedAt)
            upstreams[token].isOutdated = false
        } catch {
            return false
        }
        upstreams[token].failedAttempts = attempt
        setDeadline(ofUpstream: token, attemptDeadline)
        watch(token)
        return true
    }
}
