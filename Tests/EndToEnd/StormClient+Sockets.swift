import TestSupport

/// A WebSocket in the storm: it is closed with 1012 if its instance has ended, and else not at all.
extension StormClient {
    private static let hello: [UInt8] = [0x81, 0x05] + Array("hello".utf8)
    private static let serviceRestart: [UInt8] = [0x88, 0x02, 0x03, 0xF4]
    private static let messagesMax = 30

    private var fields: [String] {
        let cookie = client.cookies["lychgate"].map { ["Cookie: lychgate=\($0)"] } ?? []
        return ["Connection: Upgrade", "Upgrade: websocket"] + client.fields + cookie
    }

    mutating func talk(_ session: Session, _ before: StormWeather.Glimpse) {
        tally.requests += 1
        story.note("WebSocket (\(before.kills) killed\(before.isDown ? ", down" : ""))")
        var isServed = false
        defer { weather.answered(isServed) }
        do {
            let connection = try HTTPConnection(to: endpoint)
            connection.send("GET", "/upgrade", fields)
            let head = try connection.receiveHead()
            story.note("  \(head.status)")
            switch head.status {
            case 101:
                isServed = true
                try echo(connection, session)
            case 401: noteCleared(try connection.whole(head), session)
            default: noteFailure(try connection.whole(head), before, of: session, "GET")
            }
        } catch HTTPFailure.cut(let text) {
            // Within a frame nothing can be said.
            story.note("  cut")
            tally.cut += 1
            if !weather.wasDown(since: before) { surprise("cut, and nobody was killed: \(text)") }
            if text.isEmpty { surprise("a WebSocket that ends without a word") }
        } catch {
            surprise("no answer to an upgrade: \(error)")
        }
    }

    private mutating func echo(_ connection: HTTPConnection, _ session: Session) throws {
        for _ in 0..<Self.messagesMax {
            connection.send(Self.hello)
            let answer = try connection.receive(bytes: Self.serviceRestart.count)
            if answer == Self.serviceRestart {
                story.note("  closed with 1012")
                tally.closed += 1
                if weather.killed(session.instance) == nil {
                    surprise("a WebSocket is closed, and its instance lives")
                }
                connection.send([0x88, 0x82, 1, 2, 3, 4, 2, 0xF6])
                if !connection.isClosedByPeer() { surprise("1012, and then more") }
                return
            }
            let rest = try connection.receive(bytes: Self.hello.count - answer.count)
            if answer + rest != Self.hello { surprise("not the echo: \(answer + rest)") }
        }
        tally.served += 1
    }
}

extension HTTPConnection {
    /// The whole answer, of which the head has been read and has a length.
    fileprivate func whole(_ head: HTTPResponse) throws -> HTTPResponse {
        var answer = head
        answer.body = try receive(bytes: head["Content-Length"].flatMap { Int($0) } ?? 0)
        return answer
    }
}
