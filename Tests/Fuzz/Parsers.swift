// The parsers' targets: each input is one message, or the content of one.

import HTTP1
import HTTPModel
import Instances
import Memory

/// Runs one input of the target request, response, content or metric.
func fuzzParser(_ target: String, _ bytes: [UInt8], choice: UInt8) {
    switch target {
    case "request": fuzzHead(bytes, isRequest: true, choice: choice)
    case "response": fuzzHead(bytes, isRequest: false, choice: choice)
    case "content": fuzzContent(bytes, choice: choice)
    case "frames": fuzzFrames(bytes, choice: choice)
    case "metric": fuzzMetric(bytes, choice: choice)
    default: fatalError("there is no target '\(target)'")
    }
}

/// What a head came to, in one shape for both kinds.
struct Outcome: Equatable {
    var parse: HeadParse
    var byteCount = 0
    var framing = Framing.none
    var isPersistent = false
    var fields: [FieldLine] = []
    var others: [ByteRange] = []
    var minorVersion: UInt8 = 0

    init(_ bytes: some Collection<UInt8>, isRequest: Bool, choice: UInt8) {
        let limits =
            choice & 1 == 0
            ? HeadLimits() : HeadLimits(headerBytes: 160, headerCount: 4, targetBytes: 24)
        let parser = HeadParser(limits: limits, protected: [Array("x-session-id".utf8)])
        let input = buffer(bytes)
        if isRequest {
            var head = RequestHead(fieldCapacity: limits.headerCount)
            parse = parser.parseRequest(input, into: &head)
            guard parse == .complete else { return }
            byteCount = head.byteCount
            framing = head.framing
            isPersistent = head.isPersistent
            minorVersion = head.minorVersion
            fields = (0..<head.fields.count).map { head.fields[$0] }
            others = [head.methodRange, head.target, head.pathAndQuery, head.path, head.authority]
        } else {
            let method: Method = choice & 2 == 0 ? .get : choice & 4 == 0 ? .head : .connect
            var head = ResponseHead(fieldCapacity: limits.headerCount)
            parse = parser.parseResponse(input, to: method, into: &head)
            guard parse == .complete else { return }
            byteCount = head.byteCount
            framing = head.framing
            isPersistent = head.isPersistent
            minorVersion = head.minorVersion
            fields = (0..<head.fields.count).map { head.fields[$0] }
            others = [head.reason]
        }
    }
}

func fuzzHead(_ bytes: [UInt8], isRequest: Bool, choice: UInt8) {
    let whole = Outcome(bytes, isRequest: isRequest, choice: choice)
    // The verdict does not depend on how the bytes arrive. Some thirty cuts an input, others each
    // time, find more in a minute than all of them.
    let step = 1 + bytes.count / 32
    for cut in stride(from: Int(choice >> 3) % step, to: bytes.count, by: step) {
        let part = Outcome(bytes.prefix(cut), isRequest: isRequest, choice: choice)
        if part.parse == .incomplete {
            check(whole.parse != .complete || whole.byteCount > cut, "complete at \(cut)")
        } else {
            check(part == whole, "\(part.parse) at \(cut), \(whole.parse) at the end")
        }
    }
    guard whole.parse == .complete else { return }
    check(whole.byteCount <= bytes.count, "longer than its bytes")
    for range in whole.others + whole.fields.flatMap({ [$0.name, $0.value] }) {
        check(range.end <= whole.byteCount, "range behind the head")
        let text = bytes[range.start..<range.end]
        check(!text.contains { $0 == 0 || $0 == 10 || $0 == 13 || $0 == 127 }, "control")
    }
    checkFields(whole, bytes)
    checkFraming(whole, bytes, isRequest: isRequest)
    if isRequest { checkTarget(whole, bytes) }
}

func checkFields(_ head: Outcome, _ bytes: [UInt8]) {
    for field in head.fields {
        check(bytes.span.isToken(field.name), "name")
        let value = bytes[field.value.start..<field.value.end]
        check(value.first != 32 && value.first != 9 && value.last != 32 && value.last != 9, "trim")
        check(bytes[field.name.end] == 58, "colon")
        check(bytes[field.name.start - 1] == 10 && bytes[field.name.start - 2] == 13, "line")
        let name = lowercase(bytes, field.name)
        let kept = ["host", "content-type", "cookie", "authorization", "x-session-id", "origin"]
        check(!field.isHopByHop || !kept.contains(name), "\(name) nominated")
        let ended = ["connection", "te", "transfer-encoding", "upgrade", "keep-alive"]
        check(field.isHopByHop || !ended.contains(name), "\(name) passed on")
    }
}

func checkFraming(_ head: Outcome, _ bytes: [UInt8], isRequest: Bool) {
    func values(_ name: String) -> [String] {
        head.fields.filter { lowercase(bytes, $0.name) == name }.map { lowercase(bytes, $0.value) }
    }
    let lengths = values("content-length")
    let codings = values("transfer-encoding")
    check(lengths.count <= 1 && (lengths.isEmpty || codings.isEmpty), "two lengths")
    check(codings == [] || codings == ["chunked"], "codings \(codings)")
    switch head.framing {
    case .chunked: check(codings == ["chunked"] && head.minorVersion == 1, "chunked by nothing")
    case .length(let count): check(count > 0 && UInt64(lengths.first ?? "") == count, "length")
    case .untilClose: check(!isRequest && !head.isPersistent, "until close")
    case .none: check(!isRequest || codings.isEmpty, "no content, but chunked")
    }
    guard isRequest else { return }
    check(values("host").count == 1 || head.minorVersion == 0, "Host")
    if values("connection").contains("close") { check(!head.isPersistent, "close") }
}

func checkTarget(_ head: Outcome, _ bytes: [UInt8]) {
    let (target, rest, path) = (head.others[1], head.others[2], head.others[3])
    check(!target.isEmpty, "no target")
    check(rest.start >= target.start && rest.end == target.end, "path and query")
    check(path.start == rest.start && path.end <= rest.end, "path")
    check(path.end == rest.end || bytes[path.end] == 63, "query")
}

/// What chunked content came to.
struct Content: Equatable {
    var bytes: [UInt8] = []
    var end: ContentDecoder.Step?
    var rest = 0
    var trailers: [UInt8] = []
    var endOfInput = ContentDecoder.EndOfInput.truncated
}

/// Decodes content that arrives in pieces of sizes drawn from a seed; the seed 0 means whole.
func decode(_ bytes: [UInt8], _ framing: Framing, seed: UInt64) -> Content {
    var state = seed
    func draw(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return seed == 0 ? bound : min(bound, 1 + Int(state >> 60))
    }
    var decoder = ContentDecoder(framing)
    var result = Content()
    var input = Buffer(capacity: 16)
    var arrived = 0
    var held = 0
    reading: while true {
        var offset = 0
        stepping: while true {
            check(held == 0 || offset == 0, "passed over what waits")
            switch decoder.next(input, from: offset) {
            case .content(let skip, let count):
                check(count > 0 && offset + skip + count <= input.count, "content beyond input")
                offset += skip
                let taken = draw(count)
                for place in offset..<offset + taken { result.bytes.append(input.bytes[place]) }
                decoder.took(taken)
                offset += taken
            case .incomplete(let skip):
                // Only trailers wait, and only as many as may be.
                offset += skip
                held = input.count - offset
                check(held >= 0 && held <= 8192, "bytes left over")
                break stepping
            case .finished(let skip, let trailers):
                offset += skip
                check(trailers >= 0 && offset + trailers <= input.count, "trailers beyond input")
                result.trailers = input.copy(from: offset, count: trailers)
                result.end = .finished(skip: 0, trailers: 0)
                result.rest = bytes.count - arrived + input.count - offset - trailers
                let again = decoder.next(input, from: offset + trailers)
                check(again == .finished(skip: 0, trailers: 0), "ends twice")
                break reading
            case .failed(let refusal):
                result.end = .failed(refusal)
                break reading
            }
        }
        input.consume(offset)
        if arrived == bytes.count { break }
        let count = draw(bytes.count - arrived)
        input.append(Array(bytes[arrived..<arrived + count]))
        arrived += count
    }
    result.endOfInput = decoder.endOfInput()
    return result
}

/// Sound chunked content decoded with the whole of it at hand, line by line.
func plainlyDecoded(
    _ bytes: [UInt8]
) -> (content: [UInt8], trailers: [ArraySlice<UInt8>], rest: Int)? {
    var place = 0
    func line() -> ArraySlice<UInt8>? {
        let start = place
        while place + 1 < bytes.count {
            if bytes[place] == 13 {
                guard bytes[place + 1] == 10 else { return nil }
                place += 2
                return bytes[start..<place - 2]
            }
            if bytes[place] == 10 { return nil }
            place += 1
        }
        return nil
    }
    var content: [UInt8] = []
    while let sizeLine = line() {
        let end = sizeLine.firstIndex { $0 == 59 || $0 == 32 || $0 == 9 } ?? sizeLine.endIndex
        let digits = String(decoding: sizeLine[..<end], as: Unicode.UTF8.self)
        guard digits.utf8.first != 43, let size = Int(digits, radix: 16), size >= 0 else {
            return nil
        }
        if size == 0 { break }
        guard size <= bytes.count - place else { return nil }
        content += bytes[place..<place + size]
        place += size
        guard line()?.isEmpty == true else { return nil }
    }
    var trailers: [ArraySlice<UInt8>] = []
    while let trailer = line() {
        if trailer.isEmpty { return (content, trailers, bytes.count - place) }
        guard trailer.contains(58) else { return nil }
        trailers.append(trailer)
    }
    return nil
}

/// The lines that are found in the trailers are those that stand there, whole and in order.
func checkTrailers(_ trailers: [UInt8], _ plain: [ArraySlice<UInt8>]) {
    var walk = TrailerLines(offset: 0, count: trailers.count)
    var place = 0
    for expected in plain {
        guard let line = walk.next(trailers.span) else { fatalError("a trailer is missing") }
        check(line.line.start == place && line.line.end <= trailers.count, "line of a trailer")
        check(trailers[place..<line.line.end] == expected + [13, 10], "text of a trailer")
        check(line.name.start == place && trailers.span.isToken(line.name), "name of a trailer")
        check(trailers[line.name.end] == 58, "colon of a trailer")
        place = line.line.end
    }
    check(walk.next(trailers.span) == nil, "one trailer too many")
    check(trailers[place...].elementsEqual(plain.isEmpty ? [] : [13, 10]), "end of the trailers")
}

func fuzzContent(_ bytes: [UInt8], choice: UInt8) {
    let framing: Framing =
        choice < 0xF0 ? .chunked : choice == 0xFF ? .untilClose : .length(UInt64(choice & 15))
    let whole = decode(bytes, framing, seed: 0)
    for seed in 1...4 as ClosedRange<UInt64> {
        check(decode(bytes, framing, seed: seed) == whole, "depends on the cuts, seed \(seed)")
    }
    let isFinished = whole.end == .finished(skip: 0, trailers: 0)
    check((whole.endOfInput == .complete) == (isFinished || framing == .untilClose), "end")
    guard framing == .chunked, isFinished else { return }
    let plain = plainlyDecoded(bytes)
    check(plain?.content == whole.bytes && plain?.rest == whole.rest, "not what it says plainly")
    checkTrailers(whole.trailers, plain?.trailers ?? [])
    // Content that was whole is whole once it is encoded again.
    var output = Buffer(capacity: 64)
    if !whole.bytes.isEmpty {
        ContentEncoder.beginChunk(whole.bytes.count, into: &output)
        output.append(whole.bytes)
        ContentEncoder.endChunk(into: &output)
    }
    if whole.trailers.isEmpty {
        ContentEncoder.lastChunk(into: &output)
    } else {
        ContentEncoder.beginTrailers(into: &output)
        output.append(Array(whole.trailers.dropLast(2)))
        ContentEncoder.endTrailers(into: &output)
    }
    let again = decode(output.copy(from: 0, count: output.count), .chunked, seed: 1)
    check(again.bytes == whole.bytes && again.end == whole.end && again.rest == 0, "round trip")
    check(again.trailers == whole.trailers, "round trip of trailers")
}
