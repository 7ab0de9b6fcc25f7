/// Where a cookie of the backend's own applies in its client, as its `Set-Cookie` said.
///
/// A browser deletes a cookie only if it is told the same path and domain, and takes the order
/// only if it also fits in what else the cookie is: one for cross-site use, for example, is not
/// deleted in a cross-site response by a line without `SameSite=None` (RFC 6265bis §5.7).
public struct CookieScope: Hashable, Sendable {
    /// The path, explicit or the default of the request that got it.
    let path: [UInt8]
    /// The domain in lower case and without its leading dot; empty for the host alone.
    let domain: [UInt8]
    /// Whether it is for secure connections alone.
    let isSecure: Bool
    /// Whether no path was said, so that the request's counts, which is its client's to choose.
    let hasDefaultPath: Bool
    /// What else was said, as it is said again: `; HttpOnly; SameSite=None`.
    let attributes: [UInt8]

    /// The scope that is tried where nothing is known.
    static let root = CookieScope(
        path: [0x2F],
        domain: [],
        isSecure: false,
        hasDefaultPath: true,
        attributes: []
    )

    /// Whether a client takes a cookie of the same name in the one for that in the other.
    func isSameCookie(as other: CookieScope) -> Bool {
        path == other.path && domain == other.domain
    }

    /// Whether a cookie with this path is sent with a request (RFC 6265 §5.1.4).
    func covers(_ requestPath: [UInt8]) -> Bool {
        guard requestPath.starts(with: path) else { return false }
        return path.count == requestPath.count || path.last == 0x2F
            || requestPath[path.count] == 0x2F
    }
}

/// The scopes that the backend has used for its session cookie.
///
/// They are few, so an entry and a tombstone hold a number of eight bits. A backend that makes up
/// paths without end fills the table, and what comes later has an unknown scope. Those whose path
/// a client chose have few places of their own: nobody can fill the table with them.
struct CookieScopes {
    /// Of a value that no response is known to have issued.
    static let unbound: UInt8 = 0
    /// Of a value that was issued, when the table was full or the scope was odd.
    static let unknown: UInt8 = 1
    private static let first = 2
    private static let defaultPathsMax = 32

    private var known: [CookieScope] = []
    private var defaultPathCount = 0

    /// The number of a scope, which may be a new one.
    mutating func number(of scope: CookieScope?) -> UInt8 {
        guard let scope else { return Self.unknown }
        if let index = known.firstIndex(of: scope) { return UInt8(index + Self.first) }
        guard known.count + Self.first <= Int(UInt8.max) else { return Self.unknown }
        if scope.hasDefaultPath {
            guard defaultPathCount < Self.defaultPathsMax else { return Self.unknown }
            defaultPathCount += 1
        }
        known.append(scope)
        return UInt8(known.count - 1 + Self.first)
    }

    private func scope(_ number: UInt8) -> CookieScope? {
        let index = Int(number) - Self.first
        return known.indices.contains(index) ? known[index] : nil
    }

    /// Whether the cookies of two scopes are surely one for their client.
    func areSameCookie(_ one: UInt8, _ other: UInt8) -> Bool {
        guard let first = scope(one), let second = scope(other) else { return false }
        return first.isSameCookie(as: second)
    }

    /// The scope of a number, or, where that is not known, the likeliest one for a cookie that
    /// came with a request for this path: that of the longest path, as browsers send that first.
    func scope(_ number: UInt8, for requestPath: [UInt8]) -> CookieScope {
        if let scope = scope(number) { return scope }
        let fitting = known.filter { !$0.hasDefaultPath && $0.covers(requestPath) }
        return fitting.max { $0.path.count < $1.path.count } ?? .root
    }
}
