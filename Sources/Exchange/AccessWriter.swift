public import HTTPModel
public import Memory
public import Settings

/// Writes a line for each request, in the form of `log.access`.
///
/// The head is written into a note while it is at hand, the rest when the request is over. Nothing
/// in a line is a session: the fields that carry one are not among those that are written, nor are
/// field lines that went astray.
public struct AccessWriter: Sendable {
    private let format: LogSettings.Access

    /// A writer for a form.
    public init(_ format: LogSettings.Access) {
        self.format = format
    }

    /// Whether lines are written at all.
    public var isOn: Bool { format != .off }

    // MARK: The head

    /// Notes what a sound head says; `requestID` is what it was named if its client did not.
    public func begin(
        _ head: borrowing RequestHead,
        from input: borrowing Buffer,
        requestID: RequestID,
        of requestIDs: RequestIDs,
        into note: inout AccessNote
    ) {
        note.isOpen = true
        let lines = AccessFields(head, in: input)
        if format == .json {
            beginJSON(head, lines, from: input, into: &note.text)
            note.text.append(#","request_id":""#)
            if let own = lines.requestID {
                appendJSON(input, own.value, into: &note.text)
            } else {
                requestIDs.append(requestID, to: &note.text)
            }
            note.text.append("\"")
            return
        }
        appendUser(lines, input, into: &note.text)
        note.userEnd = note.text.count
        appendEscaped(input, Self.requestLine(head), into: &note.text)
        note.requestEnd = note.text.count
        guard format == .combined else { return }
        note.text.append(" \"")
        appendValue(lines.referer, input, into: &note.text)
        note.text.append("\" \"")
        appendValue(lines.userAgent, input, into: &note.text)
        note.text.append("\"")
    }

    /// Notes what came of a request that is none: what it begins with.
    public func begin(malformed input: borrowing Buffer, into note: inout AccessNote) {
        note.isOpen = true
        let line = Self.firstLine(input)
        if format == .json {
            note.text.append(#""method":null,"target":null,"protocol":null,"request":"#)
            appendNullable(line.isEmpty ? nil : line, input, into: &note.text)
            return
        }
        note.text.append("-")
        note.userEnd = note.text.count
        if line.isEmpty {
            note.text.append("-")
        } else {
            appendEscaped(input, line, into: &note.text)
        }
        note.requestEnd = note.text.count
        if format == .combined { note.text.append(" \"-\" \"-\"") }
    }

    /// The request line as received: between method and version stands one space each.
    private static func requestLine(_ head: borrowing RequestHead) -> ByteRange {
        let start = head.methodRange.start
        return ByteRange(offset: start, count: head.target.end + " HTTP/1.1".utf8.count - start)
    }

    /// What seems to be a method and a target, if the message begins so; nothing otherwise.
    ///
    /// What follows, or stands there instead, may be a field that carries a session: a client and
    /// Lychgate may disagree on where a request begins.
    private static func firstLine(_ input: borrowing Buffer) -> ByteRange {
        let bytes = input.bytes
        var start = 0
        while start < bytes.count, bytes[start] == 0x0D || bytes[start] == 0x0A { start += 1 }
        var end = start
        while end < bytes.count, ByteClass.isToken(bytes[end]) { end += 1 }
        guard end > start, end < bytes.count, bytes[end] == 0x20 else { return .empty }
        end += 1
        while end < bytes.count, end - start < 8192, bytes[end] != 0x20, bytes[end] != 0x09,
            bytes[end] != 0x0D, bytes[end] != 0x0A
        {
            end += 1
        }
        return ByteRange(offset: start, count: end - start)
    }

    // MARK: The line

    /// Appends the whole line, with its end.
    ///
    /// `time` is as the form has it: up to the second, of which JSON adds the `milliseconds`.
    /// `instance` is a JSON value, and for JSON alone.
    public func write(
        _ note: borrowing AccessNote,
        client: [UInt8],
        time: [UInt8],
        milliseconds: Int64,
        instance: [UInt8],
        into out: inout Buffer
    ) {
        out.reserve(note.text.count + 512)
        if format == .json {
            writeJSON(note, client, time, milliseconds, instance, into: &out)
            return
        }
        let facts = note.facts
        out.append(client)
        out.append(" - ")
        out.append(note.text, from: 0, count: note.userEnd)
        out.append(" [")
        out.append(time)
        out.append("] \"")
        out.append(note.text, from: note.userEnd, count: note.requestEnd - note.userEnd)
        out.append("\" ")
        out.append(decimal: UInt64(facts.status))
        out.append(" ")
        out.append(decimal: Self.contentBytes(facts))
        out.append(note.text, from: note.requestEnd, count: note.text.count - note.requestEnd)
        out.append("\n")
    }

    private static func contentBytes(_ facts: AccessFacts) -> UInt64 {
        facts.bytesOut > facts.headBytesOut ? facts.bytesOut - facts.headBytesOut : 0
    }

    // MARK: As nginx writes

    private func appendValue(
        _ line: FieldLine?,
        _ input: borrowing Buffer,
        into out: inout Buffer
    ) {
        if let line {
            appendEscaped(input, line.value, into: &out)
        } else {
            out.append("-")
        }
    }

    /// The name in an `Authorization: Basic`, or `-`.
    ///
    /// It stands in the line without quotes, so its spaces are escaped, too, which nginx leaves to
    /// be taken for the next fields.
    private func appendUser(
        _ lines: AccessFields,
        _ input: borrowing Buffer,
        into out: inout Buffer
    ) {
        guard let user = lines.user(in: input) else {
            out.append("-")
            return
        }
        var name = Buffer()
        name.append(user)
        let range = ByteRange(offset: 0, count: user.count)
        appendEscaped(name, range, least: 0x21, into: &out)
    }

    /// nginx's default escaping: quotes, backslashes, control bytes and those above ASCII become
    /// `\xXX`.
    private func appendEscaped(
        _ input: borrowing Buffer,
        _ range: ByteRange,
        least: UInt8 = 0x20,
        into out: inout Buffer
    ) {
        let bytes = input.bytes
        var kept = range.start
        for place in range.start..<range.end {
            let byte = bytes[place]
            let isPlain = byte >= least && byte < 0x7F && byte != 0x22 && byte != 0x5C
            guard !isPlain else { continue }
            out.append(input, from: kept, count: place - kept)
            kept = place + 1
            out.append("\\x")
            out.append(Self.digit(byte >> 4, ten: 0x41))
            out.append(Self.digit(byte & 15, ten: 0x41))
        }
        out.append(input, from: kept, count: range.end - kept)
    }

    private static func digit(_ value: UInt8, ten: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : ten - 10 + value
    }

    // MARK: JSON

    private func beginJSON(
        _ head: borrowing RequestHead,
        _ lines: AccessFields,
        from input: borrowing Buffer,
        into out: inout Buffer
    ) {
        out.append(#""method":"#)
        appendNullable(head.methodRange, input, into: &out)
        out.append(#","target":"#)
        appendNullable(head.target, input, into: &out)
        out.append(#","protocol":"#)
        let version = ByteRange(offset: head.target.end + 1, count: "HTTP/1.1".utf8.count)
        appendNullable(version, input, into: &out)
        out.append(#","referer":"#)
        appendNullable(lines.referer?.value, input, into: &out)
        out.append(#","user_agent":"#)
        appendNullable(lines.userAgent?.value, input, into: &out)
    }

    private func writeJSON(
        _ note: borrowing AccessNote,
        _ client: [UInt8],
        _ time: [UInt8],
        _ milliseconds: Int64,
        _ instance: [UInt8],
        into out: inout Buffer
    ) {
        let facts = note.facts
        out.append(#"{"time":""#)
        out.append(time)
        out.append(".")
        Self.appendThreeDigits(UInt64(max(0, milliseconds)), into: &out)
        out.append(#"Z","client":""#)
        out.append(client)
        out.append("\",")
        out.append(note.text, from: 0, count: note.text.count)
        out.append(#","status":"#)
        out.append(decimal: UInt64(facts.status))
        out.append(#","bytes_in":"#)
        out.append(decimal: facts.bytesIn)
        out.append(#","bytes_out":"#)
        out.append(decimal: facts.bytesOut)
        out.append(#","body_bytes_out":"#)
        out.append(decimal: Self.contentBytes(facts))
        out.append(facts.isWhole ? #","complete":true"# : #","complete":false"#)
        out.append(#","total_ms":"#)
        Self.append(nanoseconds: facts.total, into: &out)
        out.append(#","wait_ms":"#)
        Self.append(nanoseconds: facts.wait, into: &out)
        out.append(#","verify_ms":"#)
        Self.append(nanoseconds: facts.wait == nil ? nil : facts.verify, into: &out)
        out.append(#","first_byte_ms":"#)
        Self.append(nanoseconds: facts.firstByte, into: &out)
        out.append(#","reused":"#)
        out.append(facts.wait == nil ? "null" : facts.isReused ? "true" : "false")
        out.append(#","instance":"#)
        out.append(instance)
        out.append(#","verdict":""#)
        out.append(facts.verdict)
        out.append("\"}\n")
    }

    private func appendNullable(
        _ range: ByteRange?,
        _ input: borrowing Buffer,
        into out: inout Buffer
    ) {
        guard let range else {
            out.append("null")
            return
        }
        out.append("\"")
        appendJSON(input, range, into: &out)
        out.append("\"")
    }

    /// A string's inside (RFC 8259 §7); a byte above ASCII is the character of its number, so that
    /// the line is sound whatever a client sends, and nothing is lost.
    private func appendJSON(
        _ input: borrowing Buffer,
        _ range: ByteRange,
        into out: inout Buffer
    ) {
        let bytes = input.bytes
        var kept = range.start
        for place in range.start..<range.end {
            let byte = bytes[place]
            let isPlain = byte >= 0x20 && byte < 0x7F && byte != 0x22 && byte != 0x5C
            guard !isPlain else { continue }
            out.append(input, from: kept, count: place - kept)
            kept = place + 1
            if byte == 0x22 || byte == 0x5C {
                out.append(0x5C)
                out.append(byte)
            } else {
                out.append("\\u00")
                out.append(Self.digit(byte >> 4, ten: 0x61))
                out.append(Self.digit(byte & 15, ten: 0x61))
            }
        }
        out.append(input, from: kept, count: range.end - kept)
    }

    /// Milliseconds with three digits behind the point.
    private static func append(nanoseconds: Int64?, into out: inout Buffer) {
        guard let nanoseconds else {
            out.append("null")
            return
        }
        let microseconds = UInt64(max(0, nanoseconds)) / 1000
        out.append(decimal: microseconds / 1000)
        out.append(".")
        appendThreeDigits(microseconds % 1000, into: &out)
    }

    private static func appendThreeDigits(_ number: UInt64, into out: inout Buffer) {
        out.append(UInt8(truncatingIfNeeded: 0x30 + number / 100 % 10))
        out.append(UInt8(truncatingIfNeeded: 0x30 + number / 10 % 10))
        out.append(UInt8(truncatingIfNeeded: 0x30 + number % 10))
    }
}
