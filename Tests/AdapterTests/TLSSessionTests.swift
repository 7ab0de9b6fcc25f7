import Linux
import Memory
import TLS
import TestSupport
import Testing

/// Both ends of a connection, with TLS on it.
private struct Pair: ~Copyable {
    var client: TLSSession
    var server: TLSSession
    private let near: Descriptor
    private var far: Descriptor?

    init(
        _ contexts: Contexts,
        resumption: borrowing TLSResumption = TLSResumption()
    ) throws {
        let address = try #require(
            try SocketAddress.resolve(host: "127.0.0.1", port: 0, toListen: true).first
        )
        let listener = try ListeningSocket(ip: address, isShared: false)
        let near = try Socket.connect(to: listener.address)
        var accepted: Descriptor?
        while accepted == nil {
            let outcome = listener.accept()
            switch consume outcome {
            case .accepted(let descriptor, _): accepted = try descriptor.duplicate()
            default: break
            }
        }
        let number = accepted?.number ?? -1
        guard
            let client = TLSSession(
                contexts.client,
                socket: near.number,
                resumption: resumption
            ), let server = TLSSession(contexts.server, socket: number)
        else { throw SystemError(call: "TLS", code: 0) }
        self.client = client
        self.server = server
        self.near = near
        far = accepted.take()
    }

    /// The handshake of both; the first failure of either.
    mutating func shakeHands() -> TLSFailure? {
        while true {
            let one = client.handshake()
            let other = server.handshake()
            if one == .done && other == .done { return nil }
            if case .failed(let failure) = one { return failure }
            if case .failed(let failure) = other { return failure }
        }
    }

    /// Closes the server's socket without a word.
    mutating func cut() { far = nil }

    /// Waits until the client has something to read, or its end; what that is.
    mutating func receive(into buffer: inout Buffer) -> TLSSession.Outcome {
        while true {
            let outcome = client.read(into: &buffer)
            if outcome != .wantsRead { return outcome }
        }
    }
}

/// Contexts for both roles, with certificates made for the test.
private struct Contexts {
    let client: TLSContext
    let server: TLSContext
    let tickets: TLSTicketKeys

    init(
        name: String = "server.test",
        isAddress: Bool = false,
        isOld: Bool = false
    ) throws {
        let files = try Files()
        var client = TLSClientSettings(serverName: name, isAddress: isAddress)
        client.authorities = files.authority
        var server = TLSServerSettings(identities: [files.identity])
        if !isOld { server.minVersion = .tls13 }
        let tickets = try TLSTicketKeys()
        self.tickets = tickets
        self.client = try TLSContext.client(client)
        self.server = try TLSContext.server(server, tickets: tickets)
    }

    /// What the `openssl` command makes once for all tests.
    struct Files {
        let authority: [UInt8]
        let identity: TLSIdentity
        let other: TLSIdentity

        init() throws {
            let directory = try Place.newDirectory()
            defer { Place.remove(directory) }
            let certificates = try Certificates(in: directory)
            try certificates.make("server", for: "DNS:server.test,IP:127.0.0.1")
            try certificates.make("other", for: "DNS:other.test")
            func bytes(_ file: String) -> [UInt8] {
                Array(Place.text(certificates.path(file)).utf8)
            }
            authority = bytes("ca.pem")
            identity = TLSIdentity(chain: bytes("server.pem"), key: bytes("server.key"))
            other = TLSIdentity(chain: bytes("other.pem"), key: bytes("other.key"))
        }
    }
}

@Suite("9 TLS sessions")
struct TLSSessionTests {
    @Test("9 content goes both ways; what was read leaves nothing, or says so")
    func content() throws {
        var pair = try Pair(Contexts())
        #expect(pair.shakeHands() == nil)
        var sent = Buffer()
        sent.append("hello")
        let written = pair.server.write(sent, from: 1, count: 3)
        #expect(written == .bytes(3))
        var small = Buffer(capacity: 2)
        let first = pair.receive(into: &small)
        #expect(first == .bytes(2))
        #expect((pair.client.hasMore) as Bool)
        #expect((small.copy(from: 0, count: 2) == Array("el".utf8)) as Bool)
        let waiting = pair.client.peek()
        #expect(waiting == .bytes(1))
        small.removeAll()
        let second = pair.receive(into: &small)
        #expect(second == .bytes(1))
        #expect((!pair.client.hasMore) as Bool)
    }

    @Test("9 tickets are no content: a connection on which only they came is quiet")
    func tickets() throws {
        var pair = try Pair(Contexts())
        #expect(pair.shakeHands() == nil)
        let waiting = pair.client.peek()
        #expect(waiting == .wantsRead)
    }

    @Test("9 a writer that is kept from writing goes on where it was, from other memory")
    func backPressure() throws {
        var pair = try Pair(Contexts())
        #expect(pair.shakeHands() == nil)
        let total = 12_000_000
        var sent = 0
        var received = 0
        var isSame = true
        var blocked = 0
        var room = Buffer(capacity: 65_536)
        while received < total && isSame {
            while sent < total {
                // Each time in a new buffer: OpenSSL must not insist on the place of the bytes.
                var part = Buffer()
                let start = sent % Pattern.period
                let count = min(40_000, total - sent)
                part.append(Array(Pattern.bytes[start..<start + count]))
                let outcome = pair.server.write(part, from: 0, count: count)
                if outcome == .wantsWrite {
                    blocked += 1
                    break
                }
                guard case .bytes(let written) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                sent += written
            }
            while case .bytes(let count) = pair.client.read(into: &room) {
                let start = received % Pattern.period
                let got = room.copy(from: 0, count: count)
                isSame = isSame && got[...] == Pattern.bytes[start..<start + count]
                received += count
                room.removeAll()
            }
        }
        #expect(isSame)
        #expect(received == total)
        #expect(blocked > 0)
    }

    @Test("4.2 close_notify is an end, an end without it a failure, and stays one")
    func ends() throws {
        var buffer = Buffer(capacity: 100)
        var whole = try Pair(Contexts())
        #expect(whole.shakeHands() == nil)
        var sent = Buffer()
        sent.append("all")
        _ = whole.server.write(sent, from: 0, count: 3)
        let closed = whole.server.sendClose()
        #expect(closed == .ended)
        let content = whole.receive(into: &buffer)
        #expect(content == .bytes(3))
        let end = whole.receive(into: &buffer)
        #expect(end == .ended)

        var cut = try Pair(Contexts())
        #expect(cut.shakeHands() == nil)
        _ = cut.server.write(sent, from: 0, count: 3)
        cut.cut()
        let part = cut.receive(into: &buffer)
        #expect(part == .bytes(3))
        for _ in 0..<2 {
            let failure = cut.receive(into: &buffer)
            #expect(failure == .failed)
        }
        let late = cut.client.write(sent, from: 0, count: 3)
        #expect(late == .failed)
    }

    @Test(
        "9 a session is resumed, also after a cut, as long as the key of its ticket is known",
        arguments: [false, true]
    )
    func resumption(isOld: Bool) throws {
        let contexts = try Contexts(isOld: isOld)
        var resumption = TLSResumption()
        func connect(_ resumption: inout TLSResumption) throws -> Bool {
            var pair = try Pair(contexts, resumption: resumption)
            #expect(pair.shakeHands() == nil)
            _ = pair.client.peek()
            pair.client.keep(in: &resumption)
            return pair.client.isResumed && pair.server.isResumed
        }
        #expect(try !connect(&resumption))
        #expect(try connect(&resumption))
        try contexts.tickets.rotate()
        #expect(try connect(&resumption))
        for _ in 0..<3 { try contexts.tickets.rotate() }
        #expect(try !connect(&resumption))
        #expect(try connect(&resumption))
    }

    @Test("9 a name or an address that the certificate does not have is no server of ours")
    func names() throws {
        var wrong = try Pair(Contexts(name: "other.test"))
        #expect(wrong.shakeHands() == .unverified("hostname mismatch"))
        var address = try Pair(Contexts(name: "127.0.0.1", isAddress: true))
        #expect(address.shakeHands() == nil)
        var foreign = try Pair(Contexts(name: "127.0.0.2", isAddress: true))
        #expect(foreign.shakeHands() == .unverified("IP address mismatch"))
    }

    @Test("6 what is wrong with certificates, keys and names of algorithms is told apart")
    func errors() throws {
        let files = try Contexts.Files()
        let tickets = try TLSTicketKeys()
        func subject(_ change: (inout TLSServerSettings) -> Void) -> TLSError.Subject? {
            var settings = TLSServerSettings(identities: [files.identity])
            change(&settings)
            do throws(TLSError) {
                _ = try TLSContext.server(settings, tickets: tickets)
                return nil
            } catch {
                return error.subject
            }
        }
        #expect(subject { _ in } == nil)
        let crossed = TLSIdentity(chain: files.other.chain, key: files.identity.key)
        #expect(subject { $0.identities.append(crossed) } == .key(1))
        #expect(subject { $0.identities[0].chain = [] } == .certificate(0))
        let half = Array(files.identity.chain.prefix(files.identity.chain.count / 2))
        #expect(subject { $0.identities[0].chain = half } == .certificate(0))
        #expect(subject { $0.identities[0].key = files.identity.chain } == .key(0))
        #expect(subject { $0.authorities = files.identity.key } == .authorities)
        #expect(subject { $0.ciphers = ["ECDHE-RSA-AES128-GCM-SHA256", "NONE"] } == .ciphers)
        #expect(subject { $0.ciphers = ["TLS_NONE"] } == .ciphers)
        #expect(subject { $0.curves = ["X25519", "P-1"] } == .curves)
    }
}
