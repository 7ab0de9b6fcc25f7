internal import Exchange
internal import HTTP1
internal import HTTPModel
internal import Instances
internal import Memory
internal import Sessions
internal import Time

/// One request on its way: what the worker keeps of it from its verdict to its end.
struct ExchangeState: ~Copyable {
    let downstream: SlabToken
    /// The connection that it was leased; `none` while it waits for one.
    var upstream = SlabToken.none

    let method: Method
    let clientMinorVersion: UInt8
    let clientPersists: Bool
    /// For the backend, unless the client named the request; a retry has the same one.
    let requestID: RequestID
    var judgement: Judgement
    /// The instance whose connection its session needs: `none` if any will do, nil without one.
    private(set) var ownInstance: InstanceNumber?
    var machine: ExchangeMachine

    /// How the request's content is framed, on both sides.
    let requestFraming: Framing
    /// Where the content begins, while the request stands at the front of the client's input.
    let headByteCount: Int
    var requestDecoder: ContentDecoder
    /// The whole request was taken from the client.
    var isRequestTaken = false
    /// The whole request was handed to the kernel.
    var isRequestSent = false

    var responseDecoder = ContentDecoder(.none)
    var responseFraming = DownstreamFraming.asReceived
    /// Whether the backend lets its connection live on.
    var backendPersists = false
    /// Whether the client's connection ends with this response.
    var closesDownstream = false
    /// The content of a response that a rule reads before its head goes on.
    var collection: Collection?
    /// Whether the response is a stream of events for a session, which ends with that.
    var isEventStream = false
    /// Whose session the 101 of a tunnel issued.
    var issuer: InstanceNumber?
    /// Of a tunnel that is a session's WebSocket: where its frames end.
    var frames = TunnelFrames()
    /// Its session is stale: it ends with the frame that is on its way to the client.
    var endsAtFrame = false

    init(
        downstream: SlabToken,
        head: borrowing RequestHead,
        requestID: RequestID,
        judgement: consuming Judgement,
        machine: ExchangeMachine
    ) {
        self.downstream = downstream
        method = head.method
        clientMinorVersion = head.minorVersion
        clientPersists = head.isPersistent
        self.requestID = requestID
        if let session = judgement.session {
            ownInstance = session.isBound ? session.instance : InstanceNumber.none
        }
        self.judgement = judgement
        self.machine = machine
        requestFraming = head.framing
        headByteCount = head.byteCount
        requestDecoder = ContentDecoder(head.framing)
    }

    /// What its session changes in the head that goes upstream.
    var requestEdits: RequestEdits {
        var edits = RequestEdits()
        edits.cutsJarCookie = judgement.hasJarCookie
        edits.cutCookies = judgement.cutCookies
        edits.asksIdentityCoding = judgement.readsContent
        if judgement.dropsCarrier { edits.droppedLine = judgement.carrierLine }
        if judgement.injects { edits.injected = judgement.session?.sessionID }
        return edits
    }

    /// Its session is stale, and it goes on without.
    mutating func leaveOutSession() {
        judgement.leaveOutSession()
        machine.sessionLeftOut()
        ownInstance = nil
    }

    /// Begins the request anew, for the retry.
    ///
    /// The client's connection has to go back to `headByteCount` with it: decoder and cursor belong
    /// together, or the next request's bytes would be taken for this one's content.
    mutating func rewind() {
        upstream = .none
        requestDecoder = ContentDecoder(requestFraming)
        isRequestTaken = false
        isRequestSent = false
        collection = nil
    }
}

/// How far the frames of a WebSocket have gone, each way; nil of a tunnel that is not followed.
struct TunnelFrames: Sendable {
    var toClient: WebSocketFrames?
    var toBackend: WebSocketFrames?
}

/// The content of a response that is read before its head goes on (contract 2.2, 2.3).
struct Collection: Sendable {
    /// What the head said.
    let plan: ResponsePlan
    /// At most `ResponsePlan.contentBytesMax`.
    var content: [UInt8] = []
    /// Whether something in it was blanked or added.
    var isRedacted = false

    /// Says in the head what was changed in the content.
    func amend(_ edits: inout ResponseEdits, framing: Framing) {
        guard isRedacted else { return }
        edits.isRedacted = true
        if case .length = framing { edits.contentLength = content.count }
    }
}
