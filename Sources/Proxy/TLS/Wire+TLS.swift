internal import Linux
internal import Memory
internal import TLS

/// What a wire with TLS knows beside its session.
struct TLSState {
    /// A read cannot go on before there is room to write, or the other way round: OpenSSL has
    /// something of its own to say first.
    var readAwaitsRoom = false
    var writeAwaitsBytes = false
    /// The close was not sent for want of room.
    var owesClose = false
    /// The peer is not to take what it got as whole.
    var isCut = false
}

/// A wire with TLS, kept out of line so that a plain one stays as short as it was.
extension Wire {
    /// Puts TLS between the socket and the buffers; false without memory for it.
    mutating func secure(
        _ context: TLSContext,
        resumption: borrowing TLSResumption = TLSResumption()
    ) -> Bool {
        tls = TLSSession(context, socket: descriptor.number, resumption: resumption)
        isSecured = tls != nil
        tlsState = TLSState()
        return isSecured
    }

    /// Goes back to bytes as they are, for a peer that speaks no TLS.
    mutating func dropTLS() {
        tls = nil
        isSecured = false
        tlsState = TLSState()
    }

    /// Goes on with the handshake.
    mutating func shakeHands() -> TLSSession.Handshake {
        let outcome = tls?.handshake() ?? .failed(.cut)
        switch outcome {
        case .wantsRead: isReadable = false
        case .wantsWrite:
            isReadable = false
            isWritable = false
            tlsState.readAwaitsRoom = true
        case .done:
            // What came behind the handshake may wait inside OpenSSL.
            isReadable = true
        case .failed: break
        }
        return outcome
    }

    /// Whether the handshake went on from an earlier session.
    mutating func isResumed() -> Bool { tls?.isResumed ?? false }

    /// The subject of the certificate that the peer has shown, if it had to.
    mutating func peerSubject() -> [UInt8]? { tls?.peerSubject }

    @inline(never)
    mutating func noteSecured(_ event: PollEvent) {
        if event.isWritable && tlsState.readAwaitsRoom {
            tlsState.readAwaitsRoom = false
            isReadable = true
        }
        if event.isReadable && tlsState.writeAwaitsBytes {
            tlsState.writeAwaitsBytes = false
            isWritable = true
        }
        if event.isWritable && tlsState.owesClose { finishWriting() }
    }

    @inline(never)
    mutating func readSecured() -> Transfer {
        let room = input.writableCount
        switch tls?.read(into: &input) ?? .failed {
        case .bytes(let count):
            bytesRead &+= UInt64(count)
            wasFilled = count == room
            if tls?.hasMore != true && !isPeerDone { isReadable = false }
            return .bytes(count)
        case .wantsRead:
            isReadable = false
            return .wouldBlock
        case .wantsWrite:
            isReadable = false
            isWritable = false
            tlsState.readAwaitsRoom = true
            return .wouldBlock
        case .ended:
            isReadable = false
            inputEnded = true
            return .endOfInput
        case .failed:
            // An end without close_notify is one of these: what came may be a part only.
            isReadable = false
            inputEnded = true
            return .failed(Transfer.protocolError)
        }
    }

    /// Takes in what is meant for TLS alone, such as tickets, so that `isReadable` tells of the
    /// rest.
    @inline(never)
    mutating func takeInQuietly() {
        switch tls?.peek() ?? .failed {
        case .bytes: break
        case .wantsRead: if !isPeerDone { isReadable = false }
        case .wantsWrite:
            isReadable = false
            isWritable = false
            tlsState.readAwaitsRoom = true
        case .ended, .failed: inputEnded = true
        }
    }

    @inline(never)
    mutating func flushSecured() -> Bool {
        while isWritable && !output.isEmpty {
            let count = min(output.count, TLSSession.recordSize)
            switch tls?.write(output, from: 0, count: count) ?? .failed {
            case .bytes(let written):
                bytesWritten &+= UInt64(written)
                output.consume(written)
            case .wantsWrite: isWritable = false
            case .wantsRead:
                isWritable = false
                tlsState.writeAwaitsBytes = true
            case .ended, .failed: return false
            }
        }
        return true
    }

    /// Writes what waits in `output`, and of `source` whole records; what has to share a record
    /// with the former, or could not be written, is copied behind it and counts as written.
    ///
    /// OpenSSL has to be given the same bytes again after it was kept from writing them, so they
    /// must stand where nobody takes them away.
    @inline(never)
    mutating func writeSecured(
        _ source: borrowing Buffer,
        from offset: Int,
        count: Int
    ) -> Int? {
        var taken = 0
        while isWritable && taken < count {
            if !output.isEmpty {
                let room = max(0, TLSSession.recordSize - output.count)
                let part = min(room, count - taken)
                output.append(source, from: offset + taken, count: part)
                taken += part
                guard flushSecured() else { return nil }
                continue
            }
            let part = min(count - taken, TLSSession.recordSize)
            switch tls?.write(source, from: offset + taken, count: part) ?? .failed {
            case .bytes(let written):
                bytesWritten &+= UInt64(written)
                taken += written
            case .wantsWrite, .wantsRead:
                output.append(source, from: offset + taken, count: part)
                taken += part
                // It tells what it waits for.
                guard flushSecured() else { return nil }
            case .ended, .failed: return nil
            }
        }
        // The caller may have nothing more to say for a while.
        if isWritable && !output.isEmpty && !flushSecured() { return nil }
        return taken
    }

    /// Keeps what a later connection can go on from.
    func keep(in resumption: inout TLSResumption) {
        tls?.keep(in: &resumption)
    }

    /// Sends close_notify, unless the peer must see that this is no end that was meant.
    @inline(never)
    mutating func sayClose() {
        guard isSecured, !tlsState.isCut, !isBroken else { return }
        tlsState.owesClose = tls?.sendClose() == .wantsWrite
    }
}

extension Transfer {
    /// The peer broke a rule of TLS (as EPROTO), or ended without a word.
    static var protocolError: Int32 { 71 }
}
