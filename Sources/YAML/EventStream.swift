import CYAML
import Settings

/// What a YAML file consists of, one after the other.
enum Event: Equatable {
    case streamStart
    case streamEnd
    case documentStart
    case documentEnd
    case alias
    case scalar(text: String, isQuoted: Bool, marks: Marks)
    case sequenceStart(Marks)
    case sequenceEnd
    case mappingStart(Marks)
    case mappingEnd
    case failure(Settings.Problem)

    /// What may stand before a value and is not used here.
    struct Marks: Equatable {
        var hasAnchor: Bool
        var hasTag: Bool
    }
}

/// The owner of one libyaml parser and of the bytes that it reads.
@safe
struct EventStream: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>
    private let bytes: [UInt8]
    /// Where the file ends; libyaml goes on to a next line that the file does not have.
    private let end: Settings.Place

    /// A parser over a copy of a file, or nil if there is no memory for one.
    init?(_ bytes: [UInt8]) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        unsafe parser.initialize(to: yaml_parser_t())
        guard unsafe yaml_parser_initialize(parser) == 1 else {
            unsafe parser.deallocate()
            return nil
        }
        // One byte at least: libyaml wants a pointer even where there is nothing to read.
        let input = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, bytes.count))
        // Safe because there is room for all bytes, and what libyaml reads of it is their count.
        _ = unsafe input.initialize(fromContentsOf: bytes)
        // Without it a byte-order mark would choose UTF-16.
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        // Safe because the input is freed after the parser that points to it.
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
        unsafe self.parser = parser
        unsafe self.input = input
        self.bytes = bytes
        end = Settings.Place(ofByte: bytes.count, in: bytes)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe input.deallocate()
    }

    /// The next event and where it begins.
    ///
    /// After `streamEnd` and `failure` there is none: do not ask again.
    mutating func next() -> (Event, Settings.Place) {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else {
            let problem = problem()
            return (.failure(problem), problem.place)
        }
        // Safe because the event was filled, and its strings are copied before it goes.
        defer { unsafe yaml_event_delete(&event) }
        let place = unsafe place(event.start_mark)
        return (unsafe Event(event), place)
    }

    /// What libyaml says of its last failure.
    private func problem() -> Settings.Problem {
        let failed = unsafe parser.pointee
        guard unsafe failed.error != YAML_MEMORY_ERROR, let text = unsafe failed.problem else {
            return Settings.Problem("there is not enough memory to read it", at: .start)
        }
        // Safe because libyaml's texts are constants that end in a zero.
        var message = unsafe String(cString: text)
        if unsafe failed.error == YAML_READER_ERROR {
            // Bytes that are no characters have no place that libyaml could tell.
            let offset = unsafe Int(clamping: failed.problem_offset)
            let place = Settings.Place(ofByte: offset, in: bytes)
            return Settings.Problem(message, at: place)
        }
        let place = unsafe place(failed.problem_mark)
        guard let context = unsafe failed.context else {
            return Settings.Problem(message, at: place)
        }
        let begin = unsafe self.place(failed.context_mark)
        // Safe for the same reason.
        let doing = unsafe String(cString: context)
        if doing == "while scanning a simple key" {
            // The word without its colon is what is wrong, not what comes after it.
            return Settings.Problem("\(message) after this word", at: begin)
        }
        message += " (\(doing)"
        message += begin == place ? ")" : " that begins at \(begin.line):\(begin.column))"
        return Settings.Problem(message, at: place)
    }

    /// A place as libyaml counts it, from 0, but inside of the file.
    private func place(_ mark: yaml_mark_t) -> Settings.Place {
        let line = Int(clamping: mark.line)
        let column = Int(clamping: mark.column)
        return min(Settings.Place(line: line + 1, column: column + 1), end)
    }
}

extension Settings.Place {
    /// The place of a byte, where lines end as libyaml reads them: LF, CR, CR LF, NEL, LS, PS.
    init(ofByte offset: Int, in bytes: [UInt8]) {
        self = .start
        let end = min(offset, bytes.count)
        var index = 0
        var before: UInt8 = 0
        var twoBefore: UInt8 = 0
        while index < end {
            let byte = bytes[index]
            index += 1
            let isLineEnd =
                switch byte {
                case 0x0A: true
                case 0x0D: index == bytes.count || bytes[index] != 0x0A
                case 0x85: before == 0xC2
                case 0xA8, 0xA9: before == 0x80 && twoBefore == 0xE2
                default: false
                }
            if isLineEnd {
                self = Self(line: line + 1, column: 1)
            } else if byte & 0xC0 != 0x80 && byte != 0x0D {
                column += 1
            }
            twoBefore = before
            before = byte
        }
    }
}

extension Event {
    /// An event of libyaml with its text copied.
    fileprivate init(_ event: yaml_event_t) {
        let type = unsafe event.type
        switch type {
        case YAML_STREAM_START_EVENT: self = .streamStart
        case YAML_STREAM_END_EVENT: self = .streamEnd
        case YAML_DOCUMENT_START_EVENT: self = .documentStart
        case YAML_DOCUMENT_END_EVENT: self = .documentEnd
        case YAML_ALIAS_EVENT: self = .alias
        case YAML_SEQUENCE_START_EVENT:
            let start = unsafe event.data.sequence_start
            self = unsafe .sequenceStart(Marks(start.anchor, start.tag))
        case YAML_SEQUENCE_END_EVENT: self = .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            let start = unsafe event.data.mapping_start
            self = unsafe .mappingStart(Marks(start.anchor, start.tag))
        case YAML_MAPPING_END_EVENT: self = .mappingEnd
        default:
            let scalar = unsafe event.data.scalar
            // Safe because libyaml gives the length of the text, which lives as long as the event.
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            self = unsafe .scalar(
                text: String(decoding: bytes, as: UTF8.self),
                isQuoted: scalar.style != YAML_PLAIN_SCALAR_STYLE,
                marks: Marks(scalar.anchor, scalar.tag)
            )
        }
    }
}

extension Event.Marks {
    fileprivate init(_ anchor: UnsafeMutablePointer<UInt8>?, _ tag: UnsafeMutablePointer<UInt8>?) {
        hasAnchor = unsafe anchor != nil
        hasTag = unsafe tag != nil
    }
}
