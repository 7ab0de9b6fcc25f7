import Instances
import Time

@testable import Sessions

extension ContractModel {
    // MARK: - Answers

    mutating func arrive(_ index: Int) {
        let flight = flights.remove(at: index)
        guard let response = flight.response,
            let instance = connections[response.connection]?.bound
        else { return }
        note("client \(flight.client) gets \(response.text)")
        let process = connections[response.connection]?.process ?? 0
        if !truth.alive.contains(process) { count("late") }
        if setup.carrier == .backendCookie {
            arriveWithCookie(flight, response, instance)
        } else {
            arriveWithField(flight, response, instance)
        }
    }

    func isNew(_ issued: String, to flight: ContractFlight) -> Bool {
        flight.judgement.session == nil || issued != flight.carried
    }

    mutating func arriveWithCookie(
        _ flight: ContractFlight,
        _ response: ContractFlight.Response,
        _ instance: InstanceNumber
    ) {
        let lines = world.settle(
            response.text,
            to: flight.judgement,
            endedByBackend: response.endedByBackend,
            from: instance
        )
        if let issued = response.issued {
            if isNew(issued, to: flight) {
                if let old = flight.carried { replaced(old, flight) }
                renew(issued)
            } else if truth.fault(inLettingOn: issued, now) == nil {
                // What the backend says again is in use.
                truth.issued[issued]?.used = now
            }
            if held[flight.client]?.value != issued, !isNew(issued, to: flight) {
                restored.insert(issued)
            }
            held[flight.client] = Held(value: issued, session: issued)
        } else {
            noteEnd(flight, response)
            if !lines.isEmpty { expire(flight) }
        }
    }

    mutating func arriveWithField(
        _ flight: ContractFlight,
        _ response: ContractFlight.Response,
        _ instance: InstanceNumber
    ) {
        let plan = world.respond(response.text, to: flight.judgement)
        var isExpired = false
        if plan.captured != nil, let issued = response.issued {
            check(isNew(issued, to: flight) ? nil : "an echo is captured")
            let cookie = world.capture(issued, for: flight.judgement, from: instance)
            check(cookie.isEmpty ? "a new ID is not captured" : nil)
            if let old = flight.carried, setup.carrier == .jarCookie || flight.isWithSession {
                replaced(old, flight)
            }
            renew(issued)
            let value = setup.carrier == .header ? issued : cookie
            held[flight.client] = Held(value: value, session: issued)
        } else if let session = flight.judgement.session {
            if plan.content == .reason {
                isExpired = world.jar.end(session, .backend, now: world.now)
            } else if plan.ends {
                isExpired = world.jar.end(session, .endRule, now: world.now)
            } else if plan.binds {
                world.jar.bind(session, instance: instance, now: world.now)
            }
            check((plan.content == .reason) == response.endedByBackend ? nil : "the reason")
            noteEnd(flight, response)
            if setup.carrier == .header {
                let isEnd = response.endedByBackend || flight.kind == .disconnect
                if isEnd, held[flight.client]?.session == flight.carried {
                    held[flight.client] = nil
                }
            } else if isExpired {
                expire(flight)
            }
        }
    }

    /// The session is issued when the answer is read: that is what its times are counted from.
    mutating func renew(_ issued: String) {
        count("issued")
        truth.issued[issued]?.created = now
        truth.issued[issued]?.used = now
    }

    mutating func replaced(_ old: String, _ flight: ContractFlight) {
        count("replaced")
        truth.end(old, .replaced, now)
        if let value = flight.cookie { truth.claimedAt[value] = now }
    }

    mutating func noteEnd(_ flight: ContractFlight, _ response: ContractFlight.Response) {
        guard let id = flight.carried, flight.isWithSession else { return }
        if response.endedByBackend {
            truth.end(id, .backend, now)
        } else if flight.kind == .disconnect {
            truth.end(id, .endRule, now)
        }
    }

    // MARK: - Rest

    /// Everything comes to its end, and then every client is served after at most one 401.
    mutating func rest() {
        // What lives is met, and what is gone is found out.
        for id in connections.keys.sorted() where connections[id]?.bound == nil { ask(id) }
        while fault == nil,
            let index = flights.indices.first(where: {
                flights[$0].response != nil
            })
        {
            arrive(index)
        }
        for _ in 0..<3 { meetAll() }
        while fault == nil, !flights.isEmpty { deliver(0) }
        for client in held.indices where fault == nil {
            for attempt in 0..<3 {
                let before = counts["served", default: 0]
                begin(client, .data)
                if !flights.isEmpty { deliver(0) }
                if counts["served", default: 0] > before { break }
                check(attempt == 1 ? "client \(client) is not served" : nil)
            }
        }
        if fault == nil { count("recovered") }
    }

    mutating func deliver(_ index: Int) {
        if flights[index].response == nil {
            let count = flights.count
            for id in connections.keys.sorted().reversed() {
                write(index, to: id)
                if flights.count < count || flights[index].response != nil { break }
            }
            guard flights.count == count else { return }
        }
        if flights[index].response == nil {
            check("no connection for client \(flights[index].client)")
        }
        arrive(index)
    }
}

extension ContractFlight {
    /// Whether the session went upstream with it.
    var isWithSession: Bool { judgement.session != nil }
}
