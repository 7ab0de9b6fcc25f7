public import Settings

/// A configuration file, read with libyaml into nodes that know their line and column.
///
/// A file is one document of plain YAML. What makes small files great or unclear is refused with
/// a problem of its own: anchors and aliases, tags, duplicate keys, deep nesting, several
/// documents. A syntax error ends the reading, for what follows it cannot be trusted.
public enum YAMLReader {
    /// How large a file may be.
    public static let byteCountMax = 1 << 20
    /// How deep values may stand in each other.
    public static let depthMax = 32

    /// Reads the bytes of a whole file.
    public static func read(_ bytes: [UInt8]) -> Settings.Document {
        guard bytes.count <= byteCountMax else {
            let problem = Settings.Problem("the file is larger than 1MiB", at: .start)
            return Settings.Document(root: nil, problems: [problem])
        }
        guard let stream = EventStream(bytes) else {
            let problem = Settings.Problem("there is not enough memory to read it", at: .start)
            return Settings.Document(root: nil, problems: [problem])
        }
        var builder = TreeBuilder(stream)
        let root: Settings.Node?
        do {
            root = try builder.document()
        } catch {
            root = nil
            builder.problems.append(Hints.added(to: error.problem, bytes))
        }
        return Settings.Document(root: root, problems: builder.problems)
    }
}

/// Builds the tree from the events.
private struct TreeBuilder: ~Copyable {
    /// What ends the reading.
    struct Failure: Error {
        let problem: Settings.Problem
    }

    private var stream: EventStream
    var problems: [Settings.Problem] = []

    init(_ stream: consuming EventStream) {
        self.stream = stream
    }

    /// The value of the only document, or nil where there is none.
    mutating func document() throws(Failure) -> Settings.Node? {
        var root: Settings.Node?
        var documentCount = 0
        while true {
            let (event, place) = try next()
            switch event {
            case .streamEnd:
                return root
            case .documentStart:
                documentCount += 1
                guard documentCount == 1 else {
                    let message = "a second document begins; a configuration is one document"
                    throw Failure(problem: Settings.Problem(message, at: place))
                }
                let (first, place) = try next()
                root = try node(first, at: place, depth: 1)
            default:
                break
            }
        }
    }

    private mutating func next() throws(Failure) -> (Event, Settings.Place) {
        let (event, place) = stream.next()
        if case .failure(let problem) = event { throw Failure(problem: problem) }
        return (event, place)
    }

    /// The value that begins with an event.
    private mutating func node(
        _ event: Event,
        at place: Settings.Place,
        depth: Int
    ) throws(Failure) -> Settings.Node {
        guard depth <= YAMLReader.depthMax else {
            let message = "nested more than \(YAMLReader.depthMax) levels deep"
            throw Failure(problem: Settings.Problem(message, at: place))
        }
        let content: Settings.Node.Content
        let marks: Event.Marks
        switch event {
        case .scalar(let text, let isQuoted, let its):
            content = .scalar(text: text, isQuoted: isQuoted)
            marks = its
        case .sequenceStart(let its):
            content = try sequence(depth: depth)
            marks = its
        case .mappingStart(let its):
            content = try mapping(depth: depth)
            marks = its
        default:
            marks = Event.Marks(hasAnchor: true, hasTag: false)
            content = .refused
        }
        if marks.hasAnchor {
            let message = "anchors and aliases ('&' and '*') are not supported; write the value out"
            problems.append(Settings.Problem(message, at: place))
            return Settings.Node(.refused, at: place)
        }
        if marks.hasTag {
            let message = "tags ('!') are not supported; write the value alone"
            problems.append(Settings.Problem(message, at: place))
            return Settings.Node(.refused, at: place)
        }
        return Settings.Node(content, at: place)
    }

    private mutating func sequence(depth: Int) throws(Failure) -> Settings.Node.Content {
        var nodes: [Settings.Node] = []
        while true {
            let (event, place) = try next()
            if event == .sequenceEnd { return .sequence(nodes) }
            nodes.append(try node(event, at: place, depth: depth + 1))
        }
    }

    private mutating func mapping(depth: Int) throws(Failure) -> Settings.Node.Content {
        var entries: [Settings.Node.Entry] = []
        var lines: [String: Int] = [:]
        while true {
            let (event, place) = try next()
            if event == .mappingEnd { return .mapping(entries) }
            let key = try node(event, at: place, depth: depth + 1)
            let (valueEvent, valuePlace) = try next()
            let value = try node(valueEvent, at: valuePlace, depth: depth + 1)
            switch key.content {
            case .scalar(let text, _):
                if let line = lines[text] {
                    let message = "the key \(Wording.quoted(text)) stands already on line \(line)"
                    problems.append(Settings.Problem(message, at: place))
                } else {
                    lines[text] = place.line
                    entries.append(Settings.Node.Entry(key: text, place: place, value: value))
                }
            case .sequence, .mapping:
                problems.append(Settings.Problem("a key must be a single word", at: place))
            case .refused:
                break
            }
        }
    }
}
