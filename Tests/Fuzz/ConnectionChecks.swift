// What must be true of every conversation.

import HTTP1
import HTTPModel
import Linux
import Memory
import Pool
import Sessions
import Settings

@testable import Proxy

extension Conversation {
    /// What one client asked for and got.
    struct Account: ~Copyable {
        let requests: [ReadRequest]
        let requestsEnd: StreamEnd
        var responses: ResponseReader
        let peer: Peer

        /// Whether there is a request that has no final response yet.
        var isWaiting: Bool {
            responses.end != .tunnel && responses.responses.count < requests.count
        }
    }

    private func account(of peer: Peer) -> Account {
        var reader = RequestReader(shared.headParser, question: [])
        reader.take(peer.sent)
        var responses = ResponseReader(wideParser)
        responses.methods = reader.requests.map { $0.method }
        // What is no request is answered, too, and a bare head in place of what follows it.
        if reader.end == .malformed { responses.methods.append(.get) }
        responses.take(peer.received)
        if peer.sawEnd { responses.endOfInput() }
        check(responses.end != .malformed, "the client gets what is no response")
        return Account(
            requests: reader.requests,
            requestsEnd: reader.end,
            responses: responses,
            peer: peer
        )
    }

    private var owesAnswer: Bool { connections.contains { $0.owesAnswer } }

    /// Everybody has said what they say: what can go on has gone on.
    func checkProgress() {
        for client in clients where !client.isClosed && !client.sawEnd {
            let account = account(of: client)
            if account.isWaiting {
                check(owesAnswer, "a request is stuck")
            }
            if account.responses.end == .cut {
                check(owesAnswer, "a response is stuck")
            }
            guard account.requestsEnd == .boundary, !client.isDone else { continue }
            for connection in connections
            where connection.requests.end == .cut && !connection.peer.sawEnd {
                check(connection.responses.end == .tunnel, "a part of a request is held back")
            }
        }
    }

    /// The backend is gone: nothing is awaited any more.
    func checkAnswers() {
        for client in clients {
            let account = account(of: client)
            checkContents(account)
            checkTunnel(account)
            guard !client.isClosed, !client.sawEnd else { continue }
            check(account.responses.end != .cut, "a cut response does not end the connection")
            check(account.responses.end != .tunnel, "a tunnel outlives the backend")
            let whole = account.requests.count { $0.isWhole }
            check(account.responses.responses.count >= whole, "a request was not answered")
        }
    }

    /// Whole responses are the backend's, to the byte, or the proxy's own.
    private func checkContents(_ account: borrowing Account) {
        for index in 0..<account.responses.responses.count {
            let response = account.responses.responses[index]
            // A cut has no other sign where the end of the connection is the end of the content.
            guard response.isWhole, !response.endsAtClose, !response.content.isEmpty else {
                continue
            }
            let isOwn = response.status >= 400 && response.content.starts(with: Array("{\"".utf8))
            if isOwn { continue }
            let isBackends = connections.contains { connection in
                connection.responses.contains(response)
            }
            check(isBackends, "no such response was sent")
        }
    }

    /// What goes through a tunnel is what was sent, to the byte, as far as it got.
    private func checkTunnel(_ account: borrowing Account) {
        guard account.responses.end == .tunnel else { return }
        let got = account.peer.received[account.responses.tunnelStart...]
        let isBackends = connections.contains { connection in
            connection.responses.end == .tunnel && connection.tunnelSent.starts(with: got)
        }
        check(isBackends, "no such tunnel")
    }

    /// Both ends are closed.
    func checkRemains() {
        check(worker.downstreams.count == 0, "a client's connection is left")
        check(worker.exchanges.count == 0, "an exchange is left")
        for index in 0..<worker.upstreams.placeCount {
            guard let token = worker.upstreams.token(at: index) else { continue }
            let phase = worker.upstreams[token].phase
            check(phase != .leased && phase != .tunnel, "a connection to the backend is left")
        }
        check(worker.turnedAway == 0, "a client is still counted as turned away")
    }

    // MARK: The backend's side

    /// What the backend got is sound, and nothing of it is a zombie.
    func checkBackend() {
        var asked: [ReadRequest] = []
        var tunnels: [ArraySlice<UInt8>] = []
        for client in clients {
            var reader = RequestReader(shared.headParser, question: [])
            reader.take(client.sent)
            asked += reader.requests
            tunnels += reader.tunnelStarts.map { client.sent[$0...] }
        }
        for connection in connections {
            let tunnel = connection.tunnel
            check(tunnel.isEmpty || tunnels.contains { $0.starts(with: tunnel) }, "other bytes")
            check(connection.requests.end != .malformed, "the backend gets what is no request")
            for request in connection.requests.requests {
                checkRequest(request)
                checkContent(request, asked)
                checkSession(request, connection)
            }
        }
    }

    private func checkRequest(_ request: ReadRequest) {
        check(request.version == 1, "not HTTP/1.1")
        check(request.values("host").count == 1, "Host")
        check(request.values("x-session-id").count <= 1, "two sessions")
        check(request.values("x-forwarded-for") == ["unix"], "X-Forwarded-For")
        check(request.values("x-forwarded-proto") == ["http"], "X-Forwarded-Proto")
        check(request.values("x-forwarded-host").count <= 1, "X-Forwarded-Host")
        check(request.values("forwarded").isEmpty, "Forwarded")
        check(["", "Upgrade", "TE", "Upgrade, TE"].contains(all("connection")), "Connection")
        check(["", "chunked"].contains(all("transfer-encoding")), "Transfer-Encoding")
        check(["", "trailers"].contains(all("te")), "TE")
        check(request.values("keep-alive").isEmpty, "Keep-Alive")
        check(request.values("proxy-connection").isEmpty, "Proxy-Connection")
        if shared.settings.via != nil {
            let via = request.values("via").last ?? ""
            check(via == "1.1 lychgate" || via == "1.0 lychgate", "Via: \(via)")
        }
        for line in request.values("cookie") {
            let hasJarCookie = line.split(separator: ";").contains {
                $0.drop { $0 == " " || $0 == "\t" }.hasPrefix("lychgate=")
            }
            check(!hasJarCookie, "the jar cookie went upstream")
        }
        func all(_ name: String) -> String { request.values(name).joined(separator: ";") }
    }

    private func checkContent(_ request: ReadRequest, _ asked: [ReadRequest]) {
        if request.isWhole {
            let isAsked = asked.contains { $0.isWhole && $0.content == request.content }
            check(isAsked, "no such request was sent")
        } else {
            let isAsked = asked.contains { $0.content.starts(with: request.content) }
            check(isAsked, "no request has a content that begins so")
        }
    }

    /// A session that the client did not name itself is of the instance that it goes to.
    private func checkSession(_ request: ReadRequest, _ connection: BackendConnection) {
        guard style != .hasNoID, let value = request.values("x-session-id").first else { return }
        let session = Array(value.utf8)
        if clients.contains(where: { $0.sent.firstRange(of: session) != nil }) { return }
        var isOthers = false
        for other in connections where other.peer.sent.firstRange(of: session) != nil {
            if other.instance == connection.instance { return }
            isOthers = true
        }
        // It may have been written with escapes, in JSON.
        check(!isOthers, "a zombie")
    }
}

// MARK: Sessions that a client holds itself

extension Conversation {
    /// The last request of a connection has just come: if it carries a session that was captured,
    /// and was named by the client itself, then it is of the instance that it came to.
    func checkHeldSession(_ connection: BackendConnection) {
        // With several rules it is not plain which value a cookie was given for.
        guard style != .hasNoID, shared.settings.session.capture.count == 1,
            let value = connection.requests.requests.last?.values("x-session-id").first,
            clients.contains(where: { wasCaptured(value, for: $0) })
        else { return }
        let isIssuer = connections.contains {
            $0.instance == connection.instance && $0.peer.sent.firstRange(of: value.utf8) != nil
        }
        check(isIssuer, "a zombie that the client holds")
    }

    /// Whether a client got a jar cookie in the very head that told it a session.
    private func wasCaptured(_ session: String, for client: Peer) -> Bool {
        let text = client.received
        let field = Array("\r\nX-Session-ID: \(session)\r\n".utf8)
        let cookie = Array("\r\nSet-Cookie: lychgate=".utf8)
        guard let place = text.firstRange(of: field)?.lowerBound,
            let end = text[place...].firstRange(of: Array("\r\n\r\n".utf8))?.lowerBound,
            let start = text[place..<end].firstRange(of: cookie)?.upperBound
        else { return false }
        let made = Array(text[start..<end].prefix { $0 != UInt8(ascii: ";") })
        // One of that length that the backend did not make up.
        return made.count == 22
            && !connections.contains { $0.peer.sent.firstRange(of: made) != nil }
    }
}

extension ResponseReader {
    /// Whether it is among them, whole.
    func contains(_ response: ReadResponse) -> Bool {
        responses.contains {
            $0.isWhole && $0.status == response.status && $0.content == response.content
        }
    }
}
