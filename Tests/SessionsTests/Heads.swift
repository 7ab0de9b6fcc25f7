import HTTPModel
import Memory

/// A request head, split at its line ends without any of the parser's refusals.
///
/// So odd bytes reach the rules too. Fields are recognised as the parser does it.
struct Request: ~Copyable {
    var head = RequestHead(fieldCapacity: 100)
    var buffer = Buffer()

    init(_ text: String) {
        self.init(bytes: Array(text.utf8))
    }

    init(bytes text: [UInt8]) {
        buffer.append(text)
        let lines = splitLines(text)
        let first = lines.first ?? 0..<0
        let line = Array(text[first])
        let space = line.firstIndex(of: 0x20) ?? line.count
        let last = line.lastIndex(of: 0x20) ?? space
        let end = last > space ? last : line.count
        head.methodRange = ByteRange(offset: 0, count: space)
        switch String(decoding: line[..<space], as: UTF8.self) {
        case "GET": head.method = .get
        case "HEAD": head.method = .head
        case "POST": head.method = .post
        case "PUT": head.method = .put
        case "DELETE": head.method = .delete
        case "OPTIONS": head.method = .options
        default: head.method = .other
        }
        var start = min(space + 1, end)
        head.target = ByteRange(offset: start, count: end - start)
        if line[start..<end].starts(with: Array("http://".utf8)) {
            head.targetForm = .absolute
            start =
                line[start..<end].dropFirst(7).firstIndex(where: { $0 == 0x2F || $0 == 0x3F })
                ?? end
        }
        head.pathAndQuery = ByteRange(offset: start, count: end - start)
        let query = line[start..<end].firstIndex(of: 0x3F) ?? end
        head.path = ByteRange(offset: start, count: query - start)
        for range in lines.dropFirst() { _ = head.fields.append(fieldLine(text, range)) }
    }
}

struct Response: ~Copyable {
    var head = ResponseHead(fieldCapacity: 100)
    var buffer = Buffer()

    init(_ text: String, framing: Framing = .length(100)) {
        let text = Array(text.utf8)
        buffer.append(text)
        let lines = splitLines(text)
        head.status = UInt16(String(decoding: text[9..<12], as: UTF8.self)) ?? 0
        head.framing = framing
        for range in lines.dropFirst() { _ = head.fields.append(fieldLine(text, range)) }
    }
}

/// Lines end at "\n" alone, so that every other byte can stand in a value.
private func splitLines(_ text: [UInt8]) -> [Range<Int>] {
    var lines: [Range<Int>] = []
    var start = 0
    for index in text.indices where text[index] == 0x0A {
        if index > start { lines.append(start..<index) }
        start = index + 1
    }
    if start < text.count { lines.append(start..<text.count) }
    return lines
}

private func fieldLine(_ text: [UInt8], _ line: Range<Int>) -> FieldLine {
    let colon = text[line].firstIndex(of: 0x3A) ?? line.upperBound
    let name = ByteRange(offset: line.lowerBound, count: colon - line.lowerBound)
    let value = text.span.trimmed(min(colon + 1, line.upperBound), line.upperBound)
    return FieldLine(name: name, value: value, id: FieldID.recognise(text.span, name))
}

func string(_ buffer: borrowing Buffer, _ range: ByteRange) -> String {
    let bytes = buffer.bytes
    return String(decoding: (range.start..<range.end).map { bytes[$0] }, as: UTF8.self)
}

func string(_ buffer: borrowing Buffer) -> String {
    string(buffer, ByteRange(offset: 0, count: buffer.count))
}
