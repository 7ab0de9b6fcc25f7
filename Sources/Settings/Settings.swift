/// The whole configuration, typed and checked: what `CONTRACT` section 9 calls the file.
///
/// A value of this type is possible as a whole: whatever is wrong in a file is found, with its
/// line and column, before one exists.
public struct Settings: Sendable, Equatable {
    /// Where clients connect; at least one.
    public var listen: [ListenSettings] = []
    /// The backend.
    public var upstream = UpstreamSettings()
    /// How its instance is known.
    public var identity = IdentitySettings()
    /// Carriers, rules and the jar cookie.
    public var session = SessionSettings()
    /// How many sessions are kept.
    public var jar = JarSettings()
    /// What a stale session is answered.
    public var stale = StaleSettings()
    /// Which pages of other origins are trusted.
    public var cors = CORSSettings()
    /// What a message or a client may use up.
    public var limits = LimitSettings()
    /// How long a client may take.
    public var timeouts = TimeoutSettings()
    /// What is logged, and how.
    public var log = LogSettings()
    /// Whose `X-Forwarded-*` fields are believed.
    public var trustedProxies: [AddressBlock] = []
    /// The pseudonym in `Via`, or nil to send none.
    public var via: String? = "lychgate"
    /// How long exchanges in flight may take to finish once asked to stop.
    public var shutdownGrace: Duration = .seconds(10)
    /// Event loops; nil for one for each core.
    public var workers: Int?

    /// All the defaults; `listen` is empty and the upstream's address is not set.
    public init() {}
}

/// One address to listen on or to connect to.
public enum Address: Sendable, Equatable, Hashable {
    /// A host name or address literal (IPv6 without its brackets), and a port.
    case host(String, port: UInt16)
    /// A unix socket by its path.
    case unix(String)
}

/// One place that clients connect to.
public struct ListenSettings: Sendable, Equatable {
    /// The address; the host is a literal or a name that means this machine.
    public var address: Address
    /// TLS, or nil for bytes as they are.
    public var tls: ListenTLSSettings?

    /// A listener on an address.
    public init(address: Address) {
        self.address = address
    }
}

/// The backend and how connections to it are kept.
public struct UpstreamSettings: Sendable, Equatable {
    /// Where it listens.
    public var address = Address.host("127.0.0.1", port: 8000)
    /// Whether it speaks TLS.
    public var isSecure = false
    /// How to talk TLS to it, and to whoever is asked elsewhere for the identity.
    public var tlsSettings = UpstreamTLSSettings()
    /// From the first SYN to a connection.
    public var connectTimeout: Duration = .seconds(2)
    /// From the last request byte to the first response byte.
    public var responseTimeout: Duration = .seconds(60)
    /// How long a connection may wait in the pool.
    public var idleTimeout: Duration = .seconds(60)
    /// Connections of each worker.
    public var maxConnections = 256
    /// How long a request may wait for a connection when all are taken.
    public var queueTimeout: Duration = .seconds(5)
    /// How long a request may wait for a backend that is down; zero for not at all.
    public var hold: Duration = .zero

    /// The defaults.
    public init() {}

    /// How to talk TLS to it, or nil for bytes as they are.
    public var tls: UpstreamTLSSettings? { isSecure ? tlsSettings : nil }
}

/// A place in the health answer that may hold the instance ID (contract 3.1).
public enum IdentitySource: Sendable, Equatable {
    /// An RFC 6901 pointer into a JSON answer.
    case json(pointer: String)
    /// A field of the answer.
    case header(name: String)
    /// A metric of an answer in the Prometheus text format.
    case metric(name: String)
}

/// A field of the identity question.
public struct IdentityField: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// Its value, which may be a secret: it is never shown.
    public var value: String

    /// A field from its parts.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// How the instance of the backend is known.
public struct IdentitySettings: Sendable, Equatable {
    /// What to do with a request that carries a session when a backend that has reported an ID
    /// gives none on a new connection.
    public enum Unverified: Sendable, Equatable {
        case refuse
        case forward
    }

    /// Who says which instance a connection ends in (contract 3.2).
    public enum Verify: Sendable, Equatable {
        /// Whoever is at its other end, asked on it.
        case connection
        /// The watcher, of all connections at a time.
        case watch
    }

    /// Where else than at the upstream the watcher asks.
    public struct Elsewhere: Sendable, Equatable {
        /// The host and port.
        public var address: Address
        /// Whether it is asked over TLS.
        public var isSecure: Bool

        /// A place from its parts.
        public init(address: Address, isSecure: Bool) {
            self.address = address
            self.isSecure = isSecure
        }
    }

    /// How many instances live at a time (contract 3.4).
    public enum Instances: Sendable, Equatable {
        /// One, until it shows that there are several.
        case auto
        /// One: a new one replaces the old one.
        case single
        /// Several, side by side behind one address.
        case multi
    }

    /// The request target that is asked, be it of the upstream or elsewhere.
    public var path = "/health"
    /// The host of `identity.url`; nil to ask the upstream.
    public var elsewhere: Elsewhere?
    /// Whose word counts.
    public var verify = Verify.connection
    /// Tried in order; the first that yields a value counts.
    public var from: [IdentitySource] = [
        .json(pointer: "/serverInstanceId"), .json(pointer: "/startedAt"),
    ]
    /// How many instances there are.
    public var instances = Instances.auto
    /// Between two questions of the watcher.
    public var interval: Duration = .seconds(2)
    /// For the whole of one question.
    public var timeout: Duration = .seconds(5)
    /// Connections that are opened at a time, for each worker, to find one of several instances.
    public var maxProbes = 64
    /// How long one of several instances is looked for before it counts as gone.
    public var grace: Duration = .seconds(2)
    /// Whether the health answer gains the instance ID and time where it lacks them.
    public var augment = false
    /// The policy for connections that give no ID.
    public var unverified = Unverified.refuse
    /// More fields of the question, or others in place of its own.
    public var fields: [IdentityField] = []

    /// The defaults.
    public init() {}
}

/// What requests a rule is about: `[METHOD ]/path`, where a final `*` matches any rest.
public struct RequestPattern: Sendable, Equatable, Hashable {
    /// The method as sent, or nil for all.
    public var method: [UInt8]?
    /// The path, or with `isPrefix` how it begins.
    public var path: [UInt8]
    /// Whether any path that begins so matches.
    public var isPrefix: Bool

    /// A pattern from its parts.
    public init(method: [UInt8]?, path: [UInt8], isPrefix: Bool) {
        self.method = method
        self.path = path
        self.isPrefix = isPrefix
    }
}

/// Where a response issues a session (contract 2.2).
public enum CaptureRule: Sendable, Equatable {
    /// A response field of this name.
    case header(name: String)
    /// A `Set-Cookie` of this name, taken out of what the client gets unless `keep`.
    case cookie(name: String, keep: Bool = false)
    /// An RFC 6901 pointer into the JSON answer to a request that matches; with `redact` the value
    /// is blanked in what the client gets.
    case json(pointer: String, on: RequestPattern, redact: Bool = false)
}

/// Carriers, rules and the jar cookie (contract section 2).
public struct SessionSettings: Sendable, Equatable {
    /// The attributes of the jar cookie that can be chosen.
    public struct Cookie: Sendable, Equatable {
        /// When `Secure` and the `__Host-` prefix are used.
        public enum Secure: Sendable, Equatable {
            /// When the client's connection is TLS, or a trusted proxy says so.
            case auto
            case always
            case never
        }

        /// Which cross-site requests carry the cookie.
        public enum SameSite: Sendable, Equatable {
            case lax
            case strict
            case none
        }

        /// The cookie name, without the `__Host-` prefix.
        public var name = "lychgate"
        /// The `SameSite` attribute.
        public var sameSite = SameSite.lax
        /// The `Secure` attribute.
        public var secure = Secure.auto

        /// The defaults.
        public init() {}
    }

    /// What becomes of the session field that a client sends.
    public enum ClientHeader: Sendable, Equatable {
        /// It is passed on, and remembered.
        case track
        /// It is left out.
        case strip
        /// The request is answered 400.
        case reject
    }

    /// What becomes of a session that a client holds and the jar has never seen.
    public enum ClientUnknown: Sendable, Equatable {
        /// Only the backend can know it.
        case forward
        /// It is answered 401.
        case refuse
    }

    /// What becomes of a browser's session in requests that other sites make.
    public enum CrossSite: Sendable, Equatable {
        case refuse
        case allow
    }

    /// More capture rules than this are refused.
    public static let captureRulesMax = 64

    /// The field that carries the session upstream, unless `carrierCookie` does.
    public var carrierHeader = "X-Session-ID"
    /// The backend's own cookie that carries the session, which stays with the client.
    public var carrierCookie: String?
    /// The policy for session fields of clients.
    public var clientHeader = ClientHeader.track
    /// The policy for unknown sessions that clients hold.
    public var clientUnknown = ClientUnknown.forward
    /// The jar cookie.
    public var cookie = Cookie()
    /// Whether there are jar cookies: without, clients hold their sessions in the field alone.
    public var hasJarCookies = true
    /// Unused for so long, a session ends.
    public var idleTimeout: Duration = .seconds(12 * 3600)
    /// Older than this, a session ends; also the cookie's `Max-Age` and the life of tombstones.
    public var maxAge: Duration = .seconds(7 * 86400)
    /// Where sessions are issued; the first match wins.
    public var capture: [CaptureRule] = [.header(name: "X-Session-ID")]
    /// Requests whose 2xx answer ends the session.
    public var end: [RequestPattern] = []
    /// Requests that are never answered 401 by Lychgate.
    public var exempt: [RequestPattern] = []
    /// Requests that need a session.
    public var required: [RequestPattern] = []
    /// The policy for requests that other sites make with a session of the jar (contract 2.5).
    public var crossSite = CrossSite.refuse
    /// The prefix of the paths of Lychgate's own pages; nil for none.
    public var endpoints: String? = "/.lychgate/"
    /// A path that is answered with the state of the session, in place of the backend.
    public var statusPath: String?

    /// The defaults; `exempt` is empty, the file's default (the identity path) is set on loading.
    public init() {}
}

/// How many sessions and tombstones are kept.
public struct JarSettings: Sendable, Equatable {
    /// Sessions; beyond it the least recently used ends.
    public var capacity = 100_000
    /// Ended sessions that are still recognised.
    public var tombstones = 1_000_000

    /// The defaults.
    public init() {}
}

/// What a stale session is answered (contract 4.1).
public struct StaleSettings: Sendable, Equatable {
    /// What the content of the answer is.
    public enum Format: Sendable, Equatable {
        /// An object of the members `valid`, `reason` and `message`.
        case json
        /// A JSON-RPC 2.0 error, as Model Context Protocol servers answer.
        case jsonRPC
    }

    /// A 4xx status.
    public var status: UInt16 = 401
    /// The form of the content.
    public var format = Format.json
    /// The `reason` member.
    public var reason = "SESSION_NOT_FOUND"
    /// The `message` member.
    public var message = "Session not found - please reconnect"

    /// What becomes of a stale session where a browser loads something to show a page.
    public enum Pages: Sendable, Equatable {
        /// The request goes on without it.
        case pass
        /// It is answered like any other.
        case answer
        /// A navigation is sent to this place of the same origin; the rest passes.
        case redirect(to: String)
    }

    /// The policy for pages.
    public var pages = Pages.pass

    /// The defaults.
    public init() {}
}

/// Which pages of other origins are trusted (contract 2.5, 4.4).
public struct CORSSettings: Sendable, Equatable {
    /// Their origins as browsers write them: `https://app.example`, lower case, no default port.
    public var origins: [String] = []
    /// Whether preflight requests of these are answered by Lychgate itself.
    public var answersPreflights = false

    /// The defaults.
    public init() {}
}

/// What a message or all clients together may use up.
public struct LimitSettings: Sendable, Equatable {
    /// A whole head.
    public var headerBytes = 32 * 1024
    /// Field lines of a head.
    public var headerCount = 100
    /// A request target.
    public var targetBytes = 8 * 1024
    /// The content of a request; nil for any.
    public var bodyBytes: Int?
    /// Client connections of the process.
    public var connections = 10_000

    /// The defaults.
    public init() {}
}

/// How long a client may take.
public struct TimeoutSettings: Sendable, Equatable {
    /// From the first byte of a head to its last.
    public var header: Duration = .seconds(10)
    /// Between two reads of content.
    public var bodyIdle: Duration = .seconds(30)
    /// Between two requests.
    public var keepalive: Duration = .seconds(75)
    /// Between two writes that the client lets happen.
    public var writeIdle: Duration = .seconds(30)

    /// The defaults.
    public init() {}
}

/// What is logged, and how.
public struct LogSettings: Sendable, Equatable {
    /// From the most to the least telling.
    public enum Level: Int, Sendable, Comparable {
        case debug
        case info
        case warning
        case error

        /// Whether `left` is the more telling one.
        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// How a line is written.
    public enum Format: Sendable, Equatable {
        case text
        case json
    }

    /// How a line for each request is written.
    public enum Access: Sendable, Equatable {
        case off
        /// The common log format.
        case common
        /// As nginx predefines it.
        case combined
        case json
    }

    /// The least important level that is written.
    public var level = Level.info
    /// One line an event, in this form.
    public var format = Format.text
    /// One line a request, in this form.
    public var access = Access.off

    /// The defaults.
    public init() {}
}

/// An address or CIDR block, as 128 bits; IPv4 stands in `::ffff:0:0/96`.
public struct AddressBlock: Sendable, Equatable {
    /// The upper half of the address, in host order.
    public var high: UInt64
    /// The lower half of the address, in host order.
    public var low: UInt64
    /// How many leading bits count: 0 to 128.
    public var prefixLength: Int

    /// A block from its parts.
    public init(high: UInt64, low: UInt64, prefixLength: Int) {
        self.high = high
        self.low = low
        self.prefixLength = prefixLength
    }

    /// Whether an address, IPv4 in `::ffff:0:0/96`, lies in the block.
    public func contains(high: UInt64, low: UInt64) -> Bool {
        func agree(_ one: UInt64, _ other: UInt64, bits: Int) -> Bool {
            bits <= 0 || (one ^ other) >> UInt64(64 - min(64, bits)) == 0
        }
        return agree(high, self.high, bits: prefixLength)
            && agree(low, self.low, bits: prefixLength - 64)
    }
}
