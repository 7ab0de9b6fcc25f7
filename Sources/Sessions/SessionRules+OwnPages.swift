internal import HTTPModel
internal import Memory
internal import Settings

// The pages of Lychgate's own (contract 5).
extension SessionRules {
    /// The page that a request is for; compared byte by byte, as patterns are.
    @inline(__always)
    func ownPage(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> OwnPage? {
        guard hasOwnPages else { return nil }
        let path = head.path
        if let endpoints, path.count >= endpoints.count {
            let start = ByteRange(offset: path.start, count: endpoints.count)
            if RequestScan.equal(bytes, start, endpoints) {
                let rest = Int(path.count) - endpoints.count
                return Self.page(bytes, ByteRange(offset: start.end, count: rest))
            }
        }
        guard let statusPath, RequestScan.equal(bytes, path, statusPath) else { return nil }
        return .status
    }

    private static func page(_ bytes: Span<UInt8>, _ name: ByteRange) -> OwnPage {
        func isNamed(_ text: StaticString) -> Bool {
            Int(name.count) == text.utf8CodeUnitCount && bytes.matches(at: name.start, text)
        }
        if isNamed("session") { return .session }
        if isNamed("events") { return .events }
        return isNamed("guard.js") ? .guardModule : .none
    }

    /// Judges a request for a page of our own.
    ///
    /// No other site may learn of a session by it, not even by whether it gets an answer. A
    /// subscriber to events is told that its session has ended in a stream, where nothing can
    /// expire its cookie: so the one 401 for it stays to be given.
    func judgeOwn(
        _ page: OwnPage,
        _ head: borrowing RequestHead,
        _ bytes: Span<UInt8>,
        _ found: borrowing RequestScan,
        _ situation: Situation,
        _ judgement: inout Judgement
    ) {
        judgement.ownPage = page
        guard page.isOfSession, page.serves(head.method) else { return }
        if crossSite == .refuse, isForeign(head, bytes) {
            judgement.verdict = .crossSite
            return
        }
        var situation = situation
        situation.claims = page != .events
        if let carrierCookie {
            judgeBackendCookies(carrierCookie, head, bytes, situation, &judgement)
        } else {
            judgeCarriers(head, bytes, found, situation, &judgement)
        }
    }
}
