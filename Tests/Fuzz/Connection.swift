// The target "connection": a worker between a client and a backend, in one thread.
//
// An input is a conversation. Its first byte chooses the configuration, how the backend answers the
// identity question, and into how small pieces everything is cut. The rest is cut by bytes FE into
// segments: the client's, the backend's, the client's, and so on. In a segment some bytes that no
// text has are acts of whoever speaks (`Act`), and `@COOKIE@` in a client's segment stands for the
// jar cookie that it was given last. After each piece the worker runs until nothing is left to do.

import EventLoop
import HTTP1
import HTTPModel
import Instances
import Linux
import Memory
import Sessions
import Settings
import Time

@testable import Proxy

/// A byte of a segment that is an act.
enum Act: UInt8 {
    /// Sends no more.
    case finish = 0xF8
    /// Closes, with what is unread.
    case close = 0xF9
    /// The client connects anew; the backend dies and is started anew.
    case anew = 0xFA
    /// The backend's next connections are another instance's, and the others live on.
    case replace = 0xFB
    /// Stops to read, or reads again.
    case pause = 0xFC
    /// Sends a lot.
    case flood = 0xFD
}

/// Runs one conversation and checks what it came to.
func fuzzConnection(_ input: [UInt8], choice: UInt8) {
    var conversation = Conversation(choice: choice)
    let segments = input.split(
        separator: 0xFE,
        maxSplits: 40,
        omittingEmptySubsequences: false
    )
    for (index, segment) in segments.enumerated() {
        conversation.play(Array(segment), isClient: index.isMultiple(of: 2))
    }
    conversation.end()
}

/// How the backend answers the identity question.
enum IdentityStyle: UInt8 {
    case keepsAlive
    case closes
    case hasNoID
    /// Says that the connection lives on, and closes it.
    case closesUnsaid
}

struct Conversation: ~Copyable {
    /// More turns than this in a row without an end are an endless loop.
    private static var turnsMax: Int { 5000 }
    private static var floodBytes: Int { 100_000 }

    let shared: Shared
    var worker: Worker
    let style: IdentityStyle
    private let pieceBytes: Int
    private var room = Buffer(capacity: 65536)

    /// The last one is the present one.
    private(set) var clients: [Peer] = []
    private(set) var connections: [BackendConnection] = []
    /// The connection that a request came on last.
    private var current: BackendConnection?
    private var instance = 1
    /// The backend closes whatever carries a request.
    private var isRefusing = false
    /// What the proxy is asked to take of a message, with room for what it adds.
    let wideParser = HeadParser(
        limits: HeadLimits(headerBytes: 1 << 20, headerCount: 200, targetBytes: 1 << 16),
        protected: [Array("x-session-id".utf8)]
    )

    init(choice: UInt8) {
        Doors.shared.empty()
        style = IdentityStyle(rawValue: choice >> 2 & 3) ?? .keepsAlive
        pieceBytes = [Int.max, 1, 5, 33][Int(choice >> 4 & 3)]
        do {
            let settings = Settings.forFuzzing(choice & 3)
            shared = try Shared(
                settings: settings,
                jar: Jar(settings.jar, session: settings.session, key: (1, 2)),
                registry: InstanceRegistry(),
                log: try Log(settings: settings.log),
                upstreamAddresses: [Doors.shared.backendAddress]
            )
            worker = try Worker(shared: shared, mailbox: try Mailbox(), seed: (1, 2))
            try worker.listen(
                on: Listener(socket: try Doors.shared.clients.duplicate(), tls: nil)
            )
        } catch {
            fatalError("\(error)")
        }
        worker.openConnections()
        clients.append(.client())
        settle()
    }

    // MARK: The script

    mutating func play(_ segment: [UInt8], isClient: Bool) {
        let bytes = isClient ? withCookie(segment) : segment
        var piece: [UInt8] = []
        for byte in bytes {
            if let act = Act(rawValue: byte) {
                say(piece, isClient)
                piece = []
                perform(act, isClient)
            } else {
                piece.append(byte)
                if piece.count >= pieceBytes {
                    say(piece, isClient)
                    settle()
                    piece = []
                }
            }
        }
        say(piece, isClient)
        settle()
    }

    private var speaker: BackendConnection? {
        if let current, !current.peer.isClosed { return current }
        return connections.last { !$0.peer.isClosed }
    }

    private func say(_ bytes: [UInt8], _ isClient: Bool) {
        if bytes.isEmpty { return }
        if isClient {
            clients[clients.count - 1].send(bytes)
            _ = clients[clients.count - 1].flush()
        } else if let speaker {
            speaker.peer.send(bytes)
            speaker.responses.take(Array(speaker.peer.flush()))
        }
    }

    private mutating func perform(_ act: Act, _ isClient: Bool) {
        let peer = isClient ? clients[clients.count - 1] : speaker?.peer
        switch act {
        case .finish:
            settle()
            peer?.finish()
            if !isClient { speaker?.responses.endOfInput() }
        case .close: close(peer, isClient)
        case .anew where isClient:
            close(peer, isClient)
            clients.append(.client())
        case .anew: restart()
        case .replace where isClient: break
        case .replace:
            // Where each connection is closed, no two instances may be there at once.
            if style == .closes || style == .closesUnsaid { restart() } else { instance += 1 }
        case .pause: peer?.isPaused.toggle()
        case .flood: say([UInt8](repeating: UInt8(ascii: "x"), count: Self.floodBytes), isClient)
        }
    }

    private func close(_ peer: Peer?, _ isClient: Bool) {
        if !isClient { speaker?.responses.endOfInput() }
        peer?.close()
    }

    private mutating func restart() {
        for connection in connections {
            connection.responses.endOfInput()
            connection.peer.close()
        }
        while let peer = Doors.shared.backend.next() { peer.close() }
        instance += 1
    }

    /// The segment with the jar cookie in the place of `@COOKIE@`.
    private func withCookie(_ segment: [UInt8]) -> [UInt8] {
        let token = Array("@COOKIE@".utf8)
        guard let place = segment.firstRange(of: token) else { return segment }
        var cookie: ArraySlice<UInt8> = []
        for client in clients {
            var rest = client.received[...]
            while let found = rest.firstRange(of: Array("Set-Cookie: lychgate=".utf8)) {
                rest = rest[found.upperBound...]
                cookie = rest.prefix { $0 != UInt8(ascii: ";") }
            }
        }
        return segment[..<place.lowerBound] + Array("lychgate=".utf8) + cookie
            + segment[place.upperBound...]
    }

    // MARK: Turns

    /// Lets the worker, and the backend as far as identity goes, do all that there is to do.
    mutating func settle() {
        for _ in 0..<Self.turnsMax {
            let count = worker.turn(timeout: .zero)
            var moved = carryMessages()
            while let peer = Doors.shared.backend.next() { accepted(peer) }
            for connection in connections where serve(connection) { moved = true }
            for client in clients where !client.isClosed {
                if !client.flush().isEmpty { moved = true }
                if !client.receive(&room).isEmpty { moved = true }
            }
            if count == 0 && !moved && worker.ready.isEmpty && worker.grants.isEmpty { return }
        }
        check(false, "the worker finds no rest")
    }

    private mutating func accepted(_ peer: Peer) {
        connections.append(
            BackendConnection(
                peer,
                instance: instance,
                requests: RequestReader(wideParser, question: shared.identityQuestion),
                parser: shared.headParser
            )
        )
    }

    /// What the control thread would pass on.
    private func carryMessages() -> Bool {
        var moved = false
        for message in shared.control.drain() {
            switch message {
            case .instancesChanged: worker.mailbox.send(.instancesChanged)
            case .connectionLost, .connectionRefused, .instanceLost:
                worker.mailbox.send(.backendUp)
            case .name, .wordWanted, .cannotTellApart, .workerEnded: break
            }
            moved = true
        }
        return moved
    }

    private mutating func serve(_ connection: BackendConnection) -> Bool {
        let peer = connection.peer
        guard !peer.isClosed else { return false }
        let written = peer.flush()
        connection.responses.take(Array(written))
        let bytes = peer.receive(&room)
        if connection.take(bytes) > 0 {
            current = connection
            checkHeldSession(connection)
            if isRefusing { peer.close() }
        }
        while connection.requests.openQuestions > 0 {
            connection.requests.openQuestions -= 1
            identify(connection)
        }
        return !bytes.isEmpty || !written.isEmpty
    }

    private func identify(_ connection: BackendConnection) {
        let content =
            style == .hasNoID ? "{}" : "{\"serverInstanceId\":\"i\(connection.instance)\"}"
        let field = style == .closes ? "Connection: close\r\n" : ""
        let head = "HTTP/1.1 200 OK\r\nContent-Length: \(content.utf8.count)\r\n\(field)\r\n"
        connection.answerIdentity(head + content)
        if style == .closes || style == .closesUnsaid { connection.peer.close() }
    }

    // MARK: The end

    /// Ends everything, and checks what it came to.
    mutating func end() {
        for client in clients { client.isPaused = false }
        for connection in connections { connection.peer.isPaused = false }
        settle()
        checkProgress()
        isRefusing = true
        for connection in connections {
            connection.responses.endOfInput()
            connection.peer.close()
        }
        settle()
        checkAnswers()
        for client in clients { client.close() }
        settle()
        // Where the machine is busy the kernel may take its time to tell that a peer has closed.
        for _ in 0..<Self.turnsMax where worker.downstreams.count > 0 {
            _ = worker.turn(timeout: .milliseconds(1))
            settle()
        }
        checkRemains()
        checkBackend()
    }
}

extension Settings {
    /// One of four configurations.
    static func forFuzzing(_ choice: UInt8) -> Settings {
        var settings = Settings()
        settings.upstream.address = .unix("backend")
        // Time is no part of a conversation, however slow the machine.
        settings.upstream.connectTimeout = .seconds(3600)
        settings.upstream.queueTimeout = .seconds(3600)
        settings.identity.timeout = .seconds(3600)
        settings.timeouts.header = .seconds(3600)
        settings.log.level = .error
        settings.jar.capacity = 64
        settings.jar.tombstones = 64
        settings.session.exempt = [.init(method: nil, path: Array("/health".utf8), isPrefix: false)]
        switch choice {
        case 1:
            settings.limits.headerBytes = 256
            settings.limits.headerCount = 8
            settings.limits.targetBytes = 64
            settings.limits.bodyBytes = 64
        case 2:
            let logIn = RequestPattern(method: nil, path: Array("/in".utf8), isPrefix: true)
            let logOut = RequestPattern(method: nil, path: Array("/out".utf8), isPrefix: true)
            settings.session.capture = [
                .json(pointer: "/id", on: logIn), .header(name: "X-Session-ID"),
            ]
            settings.session.end = [logOut]
        case 3:
            settings.via = nil
            settings.upstream.maxConnections = 2
        default: break
        }
        return settings
    }
}
