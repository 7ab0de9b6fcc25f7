internal import EventLoop
internal import Exchange
internal import HTTP1
internal import HTTPModel
internal import Instances
internal import JSON
internal import Linux
internal import Memory
internal import Pool
internal import Sessions
internal import Settings
internal import TLS
internal import Time

/// The way of a response: head, session, content.
extension Worker {
    /// A backend that has no end of them does not keep the others waiting.
    private static var interimsPerTurn: Int { 16 }

    /// Takes in what the backend sends for an exchange.
    mutating func receiveResponse(_ exchange: SlabToken) {
        if exchanges[exchange].machine.isResponding {
            transferResponse(exchange)
        } else if exchanges[exchange].collection != nil {
            collect(exchange)
        } else {
            readResponseHead(exchange)
        }
    }

    private mutating func readResponseHead(_ exchange: SlabToken) {
        let connection = exchanges[exchange].upstream
        var interimCount = 0
        while true {
            if !upstreams[connection].wire.input.isEmpty {
                switch headParser.parseResponse(
                    upstreams[connection].wire.input,
                    to: exchanges[exchange].method,
                    into: &responseHead
                )
                {
                case .complete where responseHead.isInterim:
                    guard relayInterim(exchange) else { return }
                    interimCount += 1
                    if interimCount < Self.interimsPerTurn { continue }
                    ready.append(exchanges[exchange].downstream)
                    return
                case .complete where responseHead.status == 101:
                    upgradeAnswered(exchange)
                    return
                case .complete:
                    responseHeadReceived(exchange)
                    return
                case .refused(let refusal):
                    shared.log.write(
                        .warning,
                        "bad response from the backend: \(refusal.cause.description)"
                    )
                    failed(exchange, .badResponse)
                    return
                case .incomplete: break
                }
            }
            guard upstreams[connection].wire.isReadable else {
                buffers.strip(&upstreams[connection].wire.input)
                return
            }
            buffers.equip(&upstreams[connection].wire.input)
            upstreams[connection].wire.input.reserve(1)
            switch upstreams[connection].wire.read() {
            case .bytes: exchanges[exchange].machine.responseSeen()
            case .wouldBlock: break
            case .endOfInput, .failed:
                failed(exchange, .dropped)
                return
            }
        }
    }

    /// Passes an interim response on (RFC 9110 §15.2); false when the exchange is over.
    private mutating func relayInterim(_ exchange: SlabToken) -> Bool {
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        if exchanges[exchange].clientMinorVersion > 0 {
            buffers.equip(&downstreams[token].wire.output)
            let start = downstreams[token].wire.output.count
            ResponseRewriter.writeInterim(
                responseHead,
                from: upstreams[connection].wire.input,
                rules: rules,
                into: &downstreams[token].wire.output
            )
            if access.isOn {
                downstreams[token].noteResponse(status: responseHead.status, from: start)
            }
            let isFlood = downstreams[token].wire.output.count > ResponseTransfer.highWater
            guard downstreams[token].wire.flush(), !isFlood else {
                closeDownstream(token)
                return false
            }
        }
        upstreams[connection].wire.input.consume(responseHead.byteCount)
        return true
    }

    /// The final head is in `responseHead`, and may say something of the session.
    private mutating func responseHeadReceived(_ exchange: SlabToken) {
        let connection = exchanges[exchange].upstream
        let plan = rules.judgeResponse(
            responseHead,
            in: upstreams[connection].wire.input,
            request: exchanges[exchange].judgement,
            jar: shared.jar
        )
        if let warning = plan.warning {
            shared.log.write(.warning, "no session captured: \(warning.text)")
        }
        if plan.content == .stream {
            beginResponse(exchange, plan, sessionID: nil, endedByBackend: false)
            return
        }
        exchanges[exchange].collection = Collection(plan: plan)
        exchanges[exchange].responseDecoder = ContentDecoder(responseHead.framing, role: .client)
        upstreams[connection].cursor = responseHead.byteCount
        collect(exchange)
    }

    /// Reads the content that a rule looks at, while the head waits in front of it.
    private mutating func collect(_ exchange: SlabToken) {
        let connection = exchanges[exchange].upstream
        while true {
            let decoder = exchanges[exchange].responseDecoder
            let step = exchanges[exchange].responseDecoder.next(
                upstreams[connection].wire.input,
                from: upstreams[connection].cursor
            )
            switch step {
            case .content(let skip, let count):
                upstreams[connection].cursor += skip
                guard collectContent(count, of: exchange) else { return }
            case .incomplete(let skip):
                upstreams[connection].cursor += skip
                guard upstreams[connection].wire.isReadable else { return }
                upstreams[connection].wire.input.reserve(4096)
                switch upstreams[connection].wire.read() {
                case .bytes: continue
                case .wouldBlock: return
                case .failed:
                    failed(exchange, .dropped)
                    return
                case .endOfInput:
                    guard exchanges[exchange].responseDecoder.endOfInput() == .complete else {
                        failed(exchange, .dropped)
                        return
                    }
                    collected(exchange)
                    return
                }
            case .finished:
                // The end, and the trailers with it, is left for the transfer.
                exchanges[exchange].responseDecoder = decoder
                collected(exchange)
                return
            case .failed:
                failed(exchange, .badResponse)
                return
            }
        }
    }

    /// Keeps a piece of content; false when it is too long, and the response goes on unread.
    private mutating func collectContent(_ count: Int, of exchange: SlabToken) -> Bool {
        let connection = exchanges[exchange].upstream
        let sum = (exchanges[exchange].collection?.content.count ?? 0) + count
        guard sum <= ResponsePlan.contentBytesMax, exchanges[exchange].collection != nil else {
            let plan = exchanges[exchange].collection?.plan ?? ResponsePlan()
            if plan.content != .health {
                shared.log.write(
                    .warning,
                    "no session captured: \(CaptureWarning.contentTooLong.text)"
                )
            }
            beginResponse(exchange, plan, sessionID: nil, endedByBackend: false)
            return false
        }
        let bytes = upstreams[connection].wire.input.copy(
            from: upstreams[connection].cursor,
            count: count
        )
        exchanges[exchange].collection?.content.append(contentsOf: bytes)
        exchanges[exchange].responseDecoder.took(count)
        upstreams[connection].cursor += count
        return true
    }

    /// The whole content was read: looks into it, and lets the response go on.
    private mutating func collected(_ exchange: SlabToken) {
        guard let collection = exchanges[exchange].collection else { return }
        var sessionID: [UInt8]?
        var isEnded = false
        do throws(JSONError) {
            let document = try JSONDocument(collection.content)
            if collection.plan.content == .reason {
                let reason = JSONPointer("/reason").flatMap { document.value(at: $0) }
                isEnded = reason.map { SessionRules.endsSession(reason: $0) } ?? false
            } else {
                if collection.plan.content == .capture {
                    sessionID = firstSessionID(document, exchanges[exchange].judgement)
                }
                redact(exchange)
                if collection.plan.augments { try augment(exchange) }
            }
        } catch {
            let isOpen = collection.plan.content != .reason
            let isSecret =
                isOpen && !rules.redactedPointers(exchanges[exchange].judgement).isEmpty
            shared.log.write(
                isSecret ? .warning : .debug,
                "the content that a rule looks at is no JSON: \(error)"
            )
        }
        beginResponse(exchange, collection.plan, sessionID: sessionID, endedByBackend: isEnded)
    }

    /// Blanks in the collected content what the client must not see.
    private mutating func redact(_ exchange: SlabToken) {
        let pointers = rules.redactedPointers(exchanges[exchange].judgement)
        guard !pointers.isEmpty, let content = exchanges[exchange].collection?.content,
            let blanked = JSONBlanking.blank(
                pointers.compactMap { JSONPointer($0) },
                in: content
            )
        else { return }
        exchanges[exchange].collection?.content = blanked
        exchanges[exchange].collection?.isRedacted = true
    }

    private func firstSessionID(
        _ document: borrowing JSONDocument,
        _ judgement: Judgement
    ) -> [UInt8]? {
        for text in rules.jsonPointers(judgement) {
            guard let pointer = JSONPointer(text), let value = document.value(at: pointer) else {
                continue
            }
            if SessionRules.isValid(value) { return value }
            shared.log.write(
                .warning,
                "no session captured: \(CaptureWarning.invalidValue.text)"
            )
        }
        return nil
    }

    /// Lets the response go to the client: from here on it is the backend's, not ours.
    ///
    /// A JSON rule found `sessionID` in the content.
    private mutating func beginResponse(
        _ exchange: SlabToken,
        _ plan: ResponsePlan,
        sessionID: [UInt8]?,
        endedByBackend: Bool
    ) {
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        let isCollected = exchanges[exchange].collection != nil
        if isCollected, !parseResponseHeadAgain(exchange) { return }
        if exchanges[exchange].judgement.session != nil,
            EventStream.isContent(of: responseHead, in: upstreams[connection].wire.input)
        {
            guard mayBegin(exchange) else { return }
            exchanges[exchange].isEventStream = true
        }
        var edits = ResponseEdits()
        edits.isSecure = downstreams[token].isSecure
        settleSession(
            exchange,
            plan,
            sessionID: sessionID,
            endedByBackend: endedByBackend,
            &edits
        )
        let minorVersion = exchanges[exchange].clientMinorVersion
        edits.framing = DownstreamFraming(responseHead.framing, clientMinorVersion: minorVersion)
        let persistence = downstreams[token].machine.responseHead(
            isPersistent: stopBy == nil && exchanges[exchange].isRequestTaken,
            endsAtClose: edits.framing == .untilClose
        )
        edits.closes = persistence == .announceClose
        edits.saysKeepAlive = !edits.closes && minorVersion == 0
        exchanges[exchange].collection?.amend(&edits, framing: responseHead.framing)
        _ = upstreams[connection].machine.responseHead(
            isPersistent: responseHead.isPersistent,
            endsAtClose: responseHead.framing == .untilClose
        )
        exchanges[exchange].responseFraming = edits.framing
        switch edits.framing {
        case .asReceived: break
        case .chunked: beginChunkedResponse(exchange)
        case .untilClose: responseHead.endTrailersHere()
        }
        writeHead(of: exchange, edits)
        if let collection = exchanges[exchange].collection {
            passOn(collection, of: exchange)
        } else {
            exchanges[exchange].responseDecoder = ContentDecoder(
                responseHead.framing,
                role: .client
            )
            upstreams[connection].wire.input.consume(responseHead.byteCount)
        }
        transferResponse(exchange)
    }

    /// Writes the head in `responseHead` for the client.
    mutating func writeHead(of exchange: SlabToken, _ edits: ResponseEdits) {
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        exchanges[exchange].machine.responseBegun()
        if upstreams[connection].identifiedAt != nil {
            unsaidClosing.persisted(upstreams[connection].instance)
        }
        upstreams[connection].deadline = .distantFuture
        if !responseHead.hasDate { wallTime.refresh(now: now) }
        buffers.equip(&downstreams[token].wire.output)
        let start = downstreams[token].wire.output.count
        ResponseRewriter.write(
            responseHead,
            from: upstreams[connection].wire.input,
            edits: edits,
            date: wallTime.dateLine,
            rules: rules,
            into: &downstreams[token].wire.output
        )
        if access.isOn {
            downstreams[token].noteResponse(status: responseHead.status, from: start)
        }
        // The request cannot be needed again.
        downstreams[token].dropTaken()
    }

    /// Other heads were parsed while the content was collected.
    private mutating func parseResponseHeadAgain(_ exchange: SlabToken) -> Bool {
        let connection = exchanges[exchange].upstream
        let outcome = headParser.parseResponse(
            upstreams[connection].wire.input,
            to: exchanges[exchange].method,
            into: &responseHead
        )
        if outcome == .complete { return true }
        failed(exchange, .badResponse)
        return false
    }

    /// Puts collected content behind the head, framed as the rest will be.
    private mutating func passOn(_ collection: Collection, of exchange: SlabToken) {
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        upstreams[connection].wire.input.consume(upstreams[connection].cursor)
        upstreams[connection].cursor = 0
        exchanges[exchange].collection = nil
        guard !collection.content.isEmpty else { return }
        let isChunked = exchanges[exchange].responseFraming == .chunked
        if isChunked {
            ContentEncoder.beginChunk(
                collection.content.count,
                into: &downstreams[token].wire.output
            )
        }
        downstreams[token].wire.output.append(collection.content)
        if isChunked { ContentEncoder.endChunk(into: &downstreams[token].wire.output) }
    }

    /// Does to the jar what the response says: a session issued, accepted or ended.
    mutating func settleSession(
        _ exchange: SlabToken,
        _ plan: ResponsePlan,
        sessionID: [UInt8]?,
        endedByBackend: Bool,
        _ edits: inout ResponseEdits
    ) {
        let judgement = exchanges[exchange].judgement
        edits.variesByCookie = judgement.injects
        let connection = exchanges[exchange].upstream
        let live = liveInstances()
        let instance = issuer(
            on: upstreams[connection].instance ?? .unverified,
            live: live,
            policy: shared.settings.identity.unverified
        )
        if rules.hasBackendCookie {
            edits.expiredScopes = rules.settleBackendCookie(
                responseHead,
                in: upstreams[connection].wire.input,
                plan: plan,
                endedByBackend: endedByBackend,
                request: judgement,
                instance: instance,
                live: live,
                jar: shared.jar,
                now: now
            )
            return
        }
        if !rules.hasJarCookies, sessionID != nil || plan.captured != nil {
            issueHeld(exchange, plan, sessionID: sessionID, instance)
        } else if let sessionID, !rules.isEcho(sessionID, of: judgement, jar: shared.jar) {
            guard let random = randomBits() else { return }
            edits.newCookie = shared.jar.capture(
                sessionID,
                instance: instance,
                live: live,
                request: judgement,
                random: random,
                now: now
            )
        } else if sessionID == nil, let value = plan.captured {
            guard let random = randomBits() else { return }
            edits.newCookie = shared.jar.capture(
                value,
                in: upstreams[connection].wire.input,
                instance: instance,
                live: live,
                request: judgement,
                random: random,
                now: now
            )
        } else if let session = judgement.session {
            if endedByBackend {
                edits.expiresCookie = shared.jar.end(session, .backend, now: now)
            } else if plan.ends {
                edits.expiresCookie = shared.jar.end(session, .endRule, now: now)
            } else if plan.binds {
                shared.jar.bind(session, instance: instance, now: now)
            }
        }
    }

    /// 128 bits for a jar cookie; without them no cookie is made.
    private func randomBits() -> (UInt64, UInt64)? {
        do {
            return (try SecureRandom.word(), try SecureRandom.word())
        } catch {
            shared.log.write(.error, "no session captured: no random bits (OpenSSL \(error.code))")
            return nil
        }
    }

    /// Moves what there is of the content to the client.
    private mutating func transferResponse(_ exchange: SlabToken) {
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        let written = downstreams[token].wire.bytesWritten
        let outcome = ResponseTransfer.run(
            from: &upstreams[connection],
            to: &downstreams[token],
            exchange: &exchanges[exchange],
            buffers: &buffers
        )
        if written != downstreams[token].wire.bytesWritten,
            downstreams[token].deadline != .distantFuture
        {
            // The rest of the request is due, but whoever has seen an answer need not send it (RFC
            // 9110 §10.1.1): no time is lost while the answer goes on.
            setDeadline(of: token, now + patience.bodyIdle)
        }
        switch outcome {
        case .awaitsSender:
            downstreams[token].writeDeadline = .distantFuture
            buffers.strip(&upstreams[connection].wire.input)
        case .awaitsReceiver:
            extendWriteDeadline(of: token, written != downstreams[token].wire.bytesWritten)
        case .paused:
            downstreams[token].writeDeadline = .distantFuture
            ready.append(token)
        case .finished: finish(exchange)
        case .trailers(let count):
            if passOnResponseTrailers(count, of: exchange) {
                finish(exchange)
            } else {
                closeDownstream(token)
            }
        case .malformed, .truncated: failed(exchange, .dropped)
        case .receiverBroken: closeDownstream(token)
        }
    }
}
