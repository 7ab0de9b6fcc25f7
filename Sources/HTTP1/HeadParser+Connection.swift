internal import HTTPModel
internal import Memory

/// What the options of `Connection` say (RFC 9110 §7.6.1).
struct ConnectionOptions {
    var hasClose = false
    var hasKeepAlive = false
    var hasUpgrade = false
    /// Whether an element is no token, so that nobody knows what was meant.
    var isMalformed = false

    /// RFC 9112 §9.3: "close" anywhere wins, HTTP/1.0 must ask for more.
    func isPersistent(minorVersion: UInt8) -> Bool {
        if hasClose || isMalformed { return false }
        return minorVersion > 0 || hasKeepAlive
    }
}

enum ConnectionReading {
    case read(ConnectionOptions)
    case refused(RefusalCause)
}

extension HeadParser {
    /// More nominations than any client makes; each costs a walk through the fields.
    private static var nominationsMax: Int { 32 }

    /// The fields that stay whatever `Connection` nominates.
    ///
    /// Who could nominate them away would change what the request is, or slip past the backend
    /// what the proxy has checked.
    private static var protectedFields: UInt64 {
        FieldFacts.bit(.host) | FieldFacts.bit(.contentLength) | FieldFacts.bit(.contentType)
            | FieldFacts.bit(.cookie) | FieldFacts.bit(.setCookie)
            | FieldFacts.bit(.authorization) | FieldFacts.bit(.cacheControl)
            | FieldFacts.bit(.via) | FieldFacts.bit(.forwarded) | FieldFacts.bit(.xForwardedFor)
            | FieldFacts.bit(.xForwardedHost) | FieldFacts.bit(.xForwardedProto)
            | FieldFacts.bit(.origin) | FieldFacts.bit(.expect) | FieldFacts.bit(.date)
            | FieldFacts.bit(.maxForwards) | FieldFacts.bit(.xClientCertSubject)
    }

    /// Reads all `Connection` lines and marks the fields that they nominate.
    @inline(__always)
    func readConnectionOptions(
        _ bytes: Span<UInt8>,
        _ facts: FieldFacts,
        _ fields: inout FieldLines
    ) -> ConnectionReading {
        guard facts.has(.connection) else { return .read(ConnectionOptions()) }
        if !facts.hasSeveral(.connection), let line = fields.first(.connection) {
            if equalsIgnoringCase(bytes, line.value, "keep-alive") {
                return .read(ConnectionOptions(hasKeepAlive: true))
            }
            if equalsIgnoringCase(bytes, line.value, "close") {
                return .read(ConnectionOptions(hasClose: true))
            }
        }
        return readAllConnectionOptions(bytes, &fields)
    }

    private func readAllConnectionOptions(
        _ bytes: Span<UInt8>,
        _ fields: inout FieldLines
    ) -> ConnectionReading {
        var found = ConnectionOptions()
        var nominations = 0
        for index in 0..<fields.count where fields[index].id == .connection {
            var options = ListCursor(fields[index].value)
            while let option = options.next(bytes) {
                if equalsIgnoringCase(bytes, option, "close") {
                    found.hasClose = true
                } else if equalsIgnoringCase(bytes, option, "keep-alive") {
                    found.hasKeepAlive = true
                } else if equalsIgnoringCase(bytes, option, "upgrade") {
                    found.hasUpgrade = true
                } else if bytes.isToken(option) {
                    nominations += 1
                    if nominations > Self.nominationsMax {
                        return .refused(.tooManyConnectionOptions)
                    }
                    nominate(bytes, option, &fields)
                } else {
                    found.isMalformed = true
                }
            }
        }
        return .read(found)
    }

    private func nominate(
        _ bytes: Span<UInt8>,
        _ option: ByteRange,
        _ fields: inout FieldLines
    ) {
        guard !isProtected(bytes, option) else { return }
        for index in 0..<fields.count where !fields[index].isHopByHop {
            if equalsIgnoringCase(bytes, fields[index].name, option) {
                fields[index].isHopByHop = true
            }
        }
    }

    private func isProtected(_ bytes: Span<UInt8>, _ name: ByteRange) -> Bool {
        let id = FieldID.recognise(bytes, name)
        if Self.protectedFields & FieldFacts.bit(id) != 0 { return true }
        if name.count > 12, bytes.matchesIgnoringCase(at: name.start, "x-forwarded-") {
            return true
        }
        for other in protected where equalsIgnoringCase(bytes, name, other) {
            return true
        }
        return false
    }

    /// Whether every element of every `Expect` line is "100-continue", and there is one.
    func expectsOnlyContinue(_ bytes: Span<UInt8>, _ fields: borrowing FieldLines) -> Bool {
        for index in 0..<fields.count where fields[index].id == .expect {
            var expectations = ListCursor(fields[index].value)
            var count = 0
            while let expectation = expectations.next(bytes) {
                count += 1
                if !equalsIgnoringCase(bytes, expectation, "100-continue") { return false }
            }
            if count == 0 { return false }
        }
        return true
    }
}
