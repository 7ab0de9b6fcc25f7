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
        unsafe input.initialize(repeating: 0)
        for (offset, byte) in bytes.enumerated() {
            unsafe input[offset] = byte
        }
        // Without it a byte-order mark would choose UTF-16.
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        // Safe because the input is freed after the parser that points to it.
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
        unsafe self.parser = parser
        unsafe self.input = input
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
        let place = unsafe Settings.Place(mark: event.start_mark)
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
            let place = unsafe place(ofByte: Int(clamping: failed.problem_offset))
            return Settings.Problem(message, at: place)
        }
        let place = unsafe Settings.Place(mark: failed.problem_mark)
        if let context = unsafe failed.context {
            let begin = unsafe Settings.Place(mark: failed.context_mark)
            message += unsafe " (\(String(cString: context))"
            message += begin == place ? ")" : " that begins at \(begin.line):\(begin.column))"
        }
        return Settings.Problem(message, at: place)
    }

    /// The place of a byte that is no character, so that libyaml cannot tell it.
    private func place(ofByte offset: Int) -> Settings.Place {
        var place = Settings.Place.start
        let count = unsafe input.count
        for index in 0..<max(0, min(offset, count)) {
            // Safe because the index is below the count.
            let byte = unsafe input[index]
            let follows = index + 1 < count ? unsafe input[index + 1] : 0
            if byte == 0x0A || byte == 0x0D && follows != 0x0A {
                place = Settings.Place(line: place.line + 1, column: 1)
            } else if byte & 0xC0 != 0x80 && byte != 0x0D {
                place.column += 1
            }
        }
        return place
    }
}

extension Settings.Place {
    /// A place as libyaml counts it, from 0.
    fileprivate init(mark: yaml_mark_t) {
        self.init(line: Int(clamping: mark.line) + 1, column: Int(clamping: mark.column) + 1)
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
