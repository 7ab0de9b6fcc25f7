public import HTTPModel
public import Memory

/// What `Max-Forwards` says of a request (RFC 9110 §7.6.2).
///
/// It counts in OPTIONS and TRACE alone, and TRACE goes no further than here.
public enum MaxForwards: Equatable, Sendable {
    /// It says nothing: passed on.
    case unlimited
    /// So many more hops: passed on with one less.
    case hops(UInt64)
    /// The request ends here.
    case none
    /// It is no number, or there are several.
    case malformed

    /// Reads the field of a request.
    public init(_ head: borrowing RequestHead, in input: borrowing Buffer) {
        self = .unlimited
        guard head.method.countsForwards else { return }
        let bytes = input.bytes
        for index in 0..<head.fields.count where head.fields[index].id == .maxForwards {
            guard self == .unlimited else {
                self = .malformed
                return
            }
            self = Self.read(bytes, head.fields[index].value)
        }
    }

    /// `1*DIGIT`; more hops than anyone has count as the most that we know (§7.6.2).
    private static func read(_ bytes: Span<UInt8>, _ value: ByteRange) -> Self {
        guard !value.isEmpty else { return .malformed }
        var number: UInt64 = 0
        for place in value.start..<value.end {
            guard ByteClass.isDigit(bytes[place]) else { return .malformed }
            if number < 1 << 32 { number = number * 10 + UInt64(bytes[place] - 0x30) }
        }
        return number == 0 ? .none : .hops(number)
    }

    /// Appends the line for the backend, in place of one that was read.
    static func write(
        _ line: FieldLine,
        from input: borrowing Buffer,
        into out: inout Buffer
    ) {
        guard case .hops(let number) = read(input.bytes, line.value) else { return }
        out.append(input, from: line.name.start, count: Int(line.name.count))
        out.append(": ")
        out.append(decimal: number - 1)
        out.append("\r\n")
    }
}

extension Method {
    /// Whether `Max-Forwards` counts.
    var countsForwards: Bool { self == .options }
}
