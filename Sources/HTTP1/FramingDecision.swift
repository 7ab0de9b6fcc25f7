internal import HTTPModel
internal import Memory

/// The message whose framing is decided.
enum MessageKind {
    case request(minorVersion: UInt8)
    case response(minorVersion: UInt8, status: UInt16, to: Method)

    fileprivate var minorVersion: UInt8 {
        switch self {
        case .request(let minorVersion): minorVersion
        case .response(let minorVersion, _, _): minorVersion
        }
    }
}

/// Where a message's content ends, or why that cannot be told.
enum FramingDecision {
    /// The framing, and whether the connection must end with this message.
    case decided(Framing, endsConnection: Bool)
    case refused(RefusalCause)
}

/// Decides where the content of a message ends, in the order of RFC 9112 §6.3, except that what
/// is malformed is refused first, even where it would not count.
func decideFraming(
    _ bytes: Span<UInt8>,
    _ fields: borrowing FieldLines,
    _ facts: FieldFacts,
    of message: MessageKind
) -> FramingDecision {
    // CGI and its heirs read "_" as "-": what they would make of this is not what stands here.
    if facts.has(.framingAlias), case .request = message { return .refused(.framingAlias) }

    // Both lengths: §6.3 number 3 lets Transfer-Encoding win, and calls it an attack.
    if facts.has(.transferEncoding), facts.has(.contentLength) { return .refused(.bothLengths) }

    // Number 4: Transfer-Encoding. In HTTP/1.0 it is faulty framing (§6.1); in HTTP/1.1 the only
    // coding that is understood is "chunked", once and alone.
    if facts.has(.transferEncoding) {
        if message.minorVersion == 0 { return .refused(.codingInOldVersion) }
        if let cause = checkCodings(bytes, fields, facts) { return .refused(cause) }
    }

    // Number 5: an invalid length. Equal lengths repeated might be merged; they are refused, since
    // whoever repeats a length has already merged two messages' heads, or wants us to.
    var length: UInt64?
    if facts.has(.contentLength), let line = fields.first(.contentLength) {
        if facts.hasSeveral(.contentLength) { return .refused(.repeatedContentLength) }
        guard let number = contentLength(bytes, line.value) else {
            return .refused(.badContentLength)
        }
        length = number
    }

    // Numbers 1 and 2: responses without content. A length in 204 or 1xx that promises some, or a
    // coding, means a server that may send it all the same: nothing may follow such a response.
    if case .response(_, let status, let method) = message {
        if status < 200 || status == 204 {
            let promises = facts.has(.transferEncoding) || (length ?? 0) > 0
            return .decided(.none, endsConnection: promises)
        }
        if method == .head || status == 304 { return .decided(.none, endsConnection: false) }
        if method == .connect, status < 300 { return .decided(.none, endsConnection: true) }
    }

    // Number 4 again, number 6, number 7: what the fields say, else a request has no content.
    if facts.has(.transferEncoding) { return .decided(.chunked, endsConnection: false) }
    if let length {
        return .decided(length == 0 ? .none : .length(length), endsConnection: false)
    }
    if case .request = message { return .decided(.none, endsConnection: false) }

    // Number 8: a response without a length goes on until the connection ends.
    return .decided(.untilClose, endsConnection: true)
}

/// `1*DIGIT` (RFC 9110 §8.6) below 2^63; nil for anything else.
private func contentLength(_ bytes: Span<UInt8>, _ value: ByteRange) -> UInt64? {
    guard !value.isEmpty else { return nil }
    var number: UInt64 = 0
    var place = value.start
    while place < value.end {
        let digit = UInt64(bytes[place] &- 0x30)
        guard digit < 10 else { return nil }
        let (product, overflows) = number.multipliedReportingOverflow(by: 10)
        guard !overflows, product <= UInt64(Int64.max) &- digit else { return nil }
        number = product &+ digit
        place &+= 1
    }
    return number
}

/// Nil if the only transfer coding is "chunked", once, without parameters or empty elements.
private func checkCodings(
    _ bytes: Span<UInt8>,
    _ fields: borrowing FieldLines,
    _ facts: FieldFacts
) -> RefusalCause? {
    if !facts.hasSeveral(.transferEncoding), let line = fields.first(.transferEncoding),
        equalsIgnoringCase(bytes, line.value, "chunked")
    {
        return nil
    }
    // Not that. Another coding before a single, final "chunked" is merely unknown (RFC 9112 §6.1);
    // everything else hides where the message ends.
    var chunkedCount = 0
    var isLastChunked = false
    for index in 0..<fields.count where fields[index].id == .transferEncoding {
        var codings = ListCursor(fields[index].value)
        while let coding = codings.next(bytes) {
            isLastChunked = equalsIgnoringCase(bytes, coding, "chunked")
            if isLastChunked {
                chunkedCount += 1
            } else if !isCoding(bytes, coding) {
                return .badTransferEncoding
            }
        }
        if codings.emptyCount > 0 { return .badTransferEncoding }
    }
    let isSoleAndLast = chunkedCount == 1 && isLastChunked
    return isSoleAndLast ? .unknownTransferCoding : .badTransferEncoding
}

/// Whether an element could be another coding: a token, perhaps with parameters, not "chunked".
private func isCoding(_ bytes: Span<UInt8>, _ element: ByteRange) -> Bool {
    var place = element.start
    while place < element.end, ByteClass.isToken(bytes[place]) {
        place &+= 1
    }
    let name = ByteRange(offset: element.start, count: place &- element.start)
    if name.isEmpty || equalsIgnoringCase(bytes, name, "chunked") { return false }
    while place < element.end, ByteClass.isBlank(bytes[place]) {
        place &+= 1
    }
    return place == element.end || bytes[place] == 0x3B
}
