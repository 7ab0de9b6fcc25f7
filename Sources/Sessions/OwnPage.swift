public import HTTPModel

/// A page of Lychgate's own (contract 5): what a request for it is never seen by the backend.
public enum OwnPage: Sendable, Equatable, CaseIterable {
    /// The state of the session; DELETE forgets it.
    case session
    /// The same at the path that a backend of old would have (`session.status_path`).
    case status
    /// Server-sent events.
    case events
    /// The module `guard.js`.
    case guardModule
    /// Nothing is there.
    case none

    /// What the field `Allow` says.
    public var methods: StaticString {
        switch self {
        case .session: "GET, HEAD, DELETE, OPTIONS"
        case .status, .guardModule: "GET, HEAD, OPTIONS"
        case .events: "GET, OPTIONS"
        case .none: ""
        }
    }

    /// Whether the page has something for a request of this method.
    public func serves(_ method: Method) -> Bool {
        switch method {
        case .get: self != .none
        case .head: self == .session || self == .status || self == .guardModule
        case .delete: self == .session
        case .post, .put, .connect, .options, .trace, .patch, .other: false
        }
    }

    /// Whether what it says depends on the session.
    var isOfSession: Bool { self == .session || self == .status || self == .events }
}
