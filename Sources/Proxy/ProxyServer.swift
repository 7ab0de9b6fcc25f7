internal import EventLoop
internal import HealthClient
internal import Instances
internal import Linux
internal import Memory
internal import Sessions
public import Settings
internal import TLS

/// Why the proxy could not start, in words.
public struct StartFailure: Error, CustomStringConvertible {
    /// What went wrong.
    public let description: String
}

/// The proxy as a whole: sockets, threads, and what they share.
public enum ProxyServer {
    /// Serves until a signal asks to stop, and everything in flight is finished.
    ///
    /// `tls` is what its certificates came to, `directory` where they are looked for.
    public static func run(
        _ settings: Settings,
        tls: TLSContexts,
        directory: String,
        version: String
    ) throws(StartFailure) {
        do {
            try serve(settings, tls: tls, directory: directory, version: version)
        } catch let failure as StartFailure {
            throw failure
        } catch {
            throw StartFailure(description: "\(error)")
        }
    }

    private static func serve(
        _ settings: Settings,
        tls: TLSContexts,
        directory: String,
        version: String
    ) throws {
        // Before any thread is made: threads inherit which signals are blocked.
        let signals = try Signals()
        let descriptors = Machine.raiseDescriptorLimit()
        let log = try Log(settings: settings.log)
        let random = (try SecureRandom.word(), try SecureRandom.word())
        let shared = try Shared(
            settings: settings,
            jar: Jar(settings.jar, session: settings.session, key: random),
            registry: InstanceRegistry(
                mode: settings.identity.verify == .watch ? .single : settings.identity.instances,
                grace: settings.identity.grace
            ),
            log: log,
            upstreamAddresses: try resolve(settings.upstream.address, log),
            tls: tls
        )
        let workerCount = settings.workers ?? Machine.coreCount
        let (boxes, addresses) = try bind(settings.listen, tls, workerCount: workerCount)
        var mailboxes: [Mailbox<WorkerMessage>] = []
        var threads: [Thread] = []
        for box in boxes {
            let mailbox = try Mailbox<WorkerMessage>()
            mailboxes.append(mailbox)
            let index = mailboxes.count
            threads.append(try start(index: index, shared: shared, mailbox: mailbox, box: box))
        }
        log.write(
            .info,
            "lychgate \(version) listens on \(addresses.joined(separator: ", ")) for "
                + "\(settings.upstream.address.text), \(workerCount) "
                + (workerCount == 1 ? "worker" : "workers")
        )
        if descriptors < settings.limits.connections * 2 {
            log.write(
                .warning,
                "the system allows \(descriptors) open files: too few for limits.connections "
                    + "(\(settings.limits.connections))"
            )
        }
        var control = try ControlLoop(
            shared: shared,
            signals: signals,
            workers: mailboxes,
            names: try resolver(shared),
            directory: directory
        )
        if control.run() == .workersEnded {
            for thread in threads { thread.join() }
        }
        for box in boxes { box.removeNames() }
        control.finish()
    }

    private static func start(
        index: Int,
        shared: Shared,
        mailbox: Mailbox<WorkerMessage>,
        box: ListenerBox
    ) throws -> Thread {
        let seed = (try SecureRandom.word(), try SecureRandom.word())
        return try Thread(name: "worker-\(index)") {
            do throws(SystemError) {
                var worker = try Worker(shared: shared, mailbox: mailbox, seed: seed)
                while let listener = box.take() { try worker.listen(on: listener) }
                worker.run()
            } catch {
                shared.log.write(.error, "a worker cannot run: \(error)")
            }
            shared.control.send(.workerEnded)
        }
    }

    /// Where the backend listens; a name that means nothing yet is no reason not to start.
    private static func resolve(_ address: Address, _ log: Log) throws -> [SocketAddress] {
        switch address {
        case .host(let host, let port):
            do throws(ResolveError) {
                let found = try SocketAddress.resolve(host: host, port: port, toListen: false)
                return SocketAddress.interleaved(found)
            } catch {
                log.write(.error, "\(error); trying again and again")
                return []
            }
        case .unix(let path): return [try unixAddress(path)]
        }
    }

    /// What asks for the backend's name again, if it has one.
    private static func resolver(_ shared: Shared) throws -> NameResolver? {
        guard case .host(let host, let port) = shared.settings.upstream.address,
            !SocketAddress.isLiteral(host)
        else { return nil }
        return try NameResolver(known: shared.upstreamAddresses) {
            () throws(ResolveError) -> [SocketAddress] in
            try SocketAddress.resolve(host: host, port: port, toListen: false)
        } report: { news in
            shared.control.send(.name(news))
        }
    }

    private static func unixAddress(_ path: String) throws -> SocketAddress {
        guard let address = SocketAddress(unixPath: path) else {
            throw StartFailure(description: "'\(path)' is too long for a unix socket")
        }
        return address
    }

    /// Binds everything before anything runs, so that a taken address is told at once.
    private static func bind(
        _ listen: [ListenSettings],
        _ tls: TLSContexts,
        workerCount: Int
    ) throws -> (boxes: [ListenerBox], addresses: [String]) {
        let boxes = (0..<workerCount).map { _ in ListenerBox() }
        var texts: [String] = []
        for (place, settings) in listen.enumerated() {
            let context = tls.listener(place)
            do {
                switch settings.address {
                case .unix(let path):
                    let socket = try ListeningSocket(unix: try unixAddress(path))
                    texts.append(socket.address.text)
                    for box in boxes { box.put(try socket.duplicate(), context) }
                case .host(let host, let port):
                    for address in try SocketAddress.resolve(
                        host: host,
                        port: port,
                        toListen: true
                    ) {
                        try ListeningSocket.requireFree(address)
                        for box in boxes {
                            box.put(try ListeningSocket(ip: address, isShared: true), context)
                        }
                        texts.append(address.text)
                    }
                }
            } catch let error as SystemError {
                throw StartFailure(
                    description: "cannot listen on \(settings.address.text): \(error)"
                )
            }
        }
        return (boxes, texts)
    }
}

/// The sockets of one worker, on their way to its thread.
private final class ListenerBox: Sendable {
    private let sockets = Locked<Slab<Listener>>(Slab())
    private let names = Locked<[SocketAddress]>([])

    func put(_ socket: consuming ListeningSocket, _ tls: TLSContext?) {
        let address = socket.address
        names.withLock { $0.append(address) }
        // A closure cannot consume what it captures; the optional is emptied instead.
        var parcel: Listener? = Listener(socket: socket, tls: tls)
        sockets.withLock { slab in
            if let listener = parcel.take() { _ = slab.insert(listener) }
        }
    }

    func take() -> Listener? {
        sockets.withLock { slab -> Listener? in
            for index in 0..<slab.placeCount {
                if let token = slab.token(at: index) { return slab.remove(token) }
            }
            return nil
        }
    }

    /// Takes the names of unix sockets out of the file system.
    func removeNames() {
        for address in names.withLock({ $0 }) {
            address.removeName()
        }
    }
}

extension Address {
    /// For log lines.
    var text: String {
        switch self {
        case .host(let host, let port):
            host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
