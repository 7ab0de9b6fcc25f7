internal import HTTPModel
internal import Memory

/// Which known fields a head has, noted while its lines are scanned.
struct FieldFacts {
    private var seen: UInt64 = 0
    private var repeated: UInt64 = 0

    /// Notes one line.
    @inline(__always)
    mutating func note(_ id: FieldID) {
        let bit = Self.bit(id)
        repeated |= seen & bit
        seen |= bit
    }

    /// Whether there is at least one line of a field.
    @inline(__always)
    func has(_ id: FieldID) -> Bool {
        seen & Self.bit(id) != 0
    }

    /// Whether there are several lines of a field.
    @inline(__always)
    func hasSeveral(_ id: FieldID) -> Bool {
        repeated & Self.bit(id) != 0
    }

    @inline(__always)
    static func bit(_ id: FieldID) -> UInt64 {
        1 &<< UInt64(id.rawValue)
    }
}

extension FieldID {
    /// The fields that are for this connection alone (RFC 9110 §7.6.1).
    ///
    /// With them those of a proxy's own authentication, which a client does not mean for the
    /// backend. Trailer is none of them: the trailers that it announces are passed on.
    private static let hopByHop: UInt64 =
        FieldFacts.bit(.connection) | FieldFacts.bit(.keepAlive) | FieldFacts.bit(.proxyConnection)
        | FieldFacts.bit(.proxyAuthenticate) | FieldFacts.bit(.proxyAuthenticationInfo)
        | FieldFacts.bit(.proxyAuthorization) | FieldFacts.bit(.te)
        | FieldFacts.bit(.transferEncoding) | FieldFacts.bit(.upgrade)
        | FieldFacts.bit(.http2Settings)

    /// Whether the field is always for this connection alone.
    @inline(__always)
    var isAlwaysHopByHop: Bool {
        Self.hopByHop & FieldFacts.bit(self) != 0
    }
}

extension FieldLines {
    /// The first line of a field; nil if there is none.
    func first(_ id: FieldID) -> FieldLine? {
        var index = 0
        while index < count {
            if self[index].id == id { return self[index] }
            index &+= 1
        }
        return nil
    }
}

extension HeadParser {
    /// `*( field-line CRLF ) CRLF` (RFC 9112 §5).
    @inline(__always)
    func scanFields(
        _ bytes: Span<UInt8>,
        _ start: Int,
        _ fields: inout FieldLines,
        _ facts: inout FieldFacts
    ) -> Scan {
        var scan = Scan.incomplete
        fields.fill { lines in
            var count = 0
            var place = start
            scan = .incomplete
            while place < bytes.count {
                if bytes[place] == 0x0D {
                    scan = bytes.endOfLine(at: place, else: .badFieldName)
                    break
                }
                guard count < lines.count, count < limits.headerCount else {
                    scan = .refused(.tooManyFields)
                    break
                }
                scan = Self.scanFieldLine(bytes, place, &lines[count])
                guard case .reached(let next) = scan else { break }
                place = next
                facts.note(lines[count].id)
                count &+= 1
                scan = .incomplete
            }
            return count
        }
        return scan
    }

    /// `field-name ":" OWS field-value OWS CRLF`.
    @inline(__always)
    private static func scanFieldLine(
        _ bytes: Span<UInt8>,
        _ start: Int,
        _ line: inout FieldLine
    ) -> Scan {
        let nameEnd = bytes.endOfToken(from: start)
        guard nameEnd < bytes.count else { return .incomplete }
        guard bytes[nameEnd] == 0x3A, nameEnd > start else {
            return .refused(causeInName(bytes[nameEnd], isFirst: nameEnd == start))
        }
        let first = bytes.endOfBlanks(from: nameEnd &+ 1)
        var last = bytes.endOfFieldValue(from: first)
        guard last < bytes.count else { return .incomplete }
        let scan = bytes.endOfLine(at: last, else: .badFieldValue)
        guard case .reached = scan else { return scan }
        while last > first, bytes[last &- 1] <= 0x20, ByteClass.isBlank(bytes[last &- 1]) {
            last &-= 1
        }
        line.name = ByteRange(offset: start, count: nameEnd &- start)
        line.value = ByteRange(offset: first, count: last &- first)
        line.id = FieldID.recognise(bytes, line.name)
        line.isHopByHop = line.id.isAlwaysHopByHop
        return scan
    }

    private static func causeInName(_ byte: UInt8, isFirst: Bool) -> RefusalCause {
        switch byte {
        case 0x0A: .bareLineFeed
        case 0x0D: .badFieldName
        // RFC 9112 §5.2: a folded line; or, behind the start line, white space that §2.2 forbids.
        case 0x09, 0x20: isFirst ? .foldedLine : .spaceBeforeColon
        default: .badFieldName
        }
    }
}
