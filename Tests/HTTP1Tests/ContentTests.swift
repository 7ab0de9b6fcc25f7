import HTTP1
import HTTPModel
import Memory
import Testing

/// What a decoder makes of input that comes in pieces.
private struct Decoded: Equatable {
    var content: [UInt8] = []
    var end = ContentCase.End.unfinished
    var trailers: [UInt8] = []
    var endOfInput: ContentDecoder.EndOfInput
}

/// Decodes the pieces, taking at most `takenMax` bytes of content at a time.
private func decode(
    _ pieces: [ArraySlice<UInt8>],
    _ framing: Framing,
    takenMax: Int = .max
) -> Decoded {
    var decoder = ContentDecoder(framing)
    var result = Decoded(endOfInput: .truncated)
    var input = Buffer(capacity: 64)
    reading: for (index, piece) in pieces.enumerated() {
        input.append(Array(piece))
        var offset = 0
        stepping: while true {
            switch decoder.next(input, from: offset) {
            case .content(let skip, let count):
                offset += skip
                let taken = min(count, takenMax)
                for place in offset..<offset + taken {
                    result.content.append(input.bytes[place])
                }
                decoder.took(taken)
                offset += taken
            case .incomplete(let skip):
                offset += skip
                break stepping
            case .finished(let skip, let trailers):
                offset += skip
                result.trailers = input.copy(from: offset, count: trailers)
                offset += trailers
                #expect(decoder.next(input, from: offset) == .finished(skip: 0, trailers: 0))
                let later = pieces.dropFirst(index + 1).reduce(0) { $0 + $1.count }
                result.end = .finished(left: input.count - offset + later)
                break reading
            case .failed(let refusal):
                #expect(refusal.status == refusal.cause.requestStatus)
                result.end = .failed(refusal.cause)
                break reading
            }
        }
        input.consume(offset)
    }
    result.endOfInput = decoder.endOfInput()
    return result
}

@Suite("Content, whole, byte by byte, and cut at every place")
struct ContentTests {
    @Test("7 content", arguments: ContentCorpus.all)
    func corpus(_ content: ContentCase) {
        let whole = decode([content.input[...]], content.framing)
        #expect(whole.content == content.content)
        #expect(whole.end == content.end)
        #expect(whole.trailers == content.trailers)
        let isComplete =
            switch content.end {
            case .finished: true
            case .unfinished: content.framing == .untilClose
            case .failed: false
            }
        #expect(whole.endOfInput == (isComplete ? .complete : .truncated))

        let single = content.input.indices.map { content.input[$0...$0] }
        // An empty first piece: a decoder may be asked before a byte has come.
        #expect(decode([[]] + single, content.framing) == whole)
        #expect(decode([content.input[...]], content.framing, takenMax: 1) == whole)
        // Long input is cut at some places only.
        for cut in stride(from: 0, through: content.input.count, by: 1 + content.input.count / 400)
        {
            let pieces = [content.input[..<cut], content.input[cut...]]
            #expect(decode(pieces, content.framing) == whole)
            #expect(decode(pieces, content.framing, takenMax: 3) == whole)
        }
    }

    @Test("what is not taken is offered again, and framing is passed over once")
    func offers() {
        let input = buffer(bytes("5\r\nhello\r\n0\r\n\r\nnext"))
        var decoder = ContentDecoder(.chunked)
        #expect(decoder.next(input, from: 0) == .content(skip: 3, count: 5))
        #expect(decoder.next(input, from: 3) == .content(skip: 0, count: 5))
        decoder.took(2)
        #expect(decoder.next(input, from: 5) == .content(skip: 0, count: 3))
        decoder.took(3)
        #expect(!decoder.isFinished)
        #expect(decoder.next(input, from: 8) == .finished(skip: 7, trailers: 0))
        #expect(decoder.isFinished)
        #expect(decoder.next(input, from: 15) == .finished(skip: 0, trailers: 0))
        #expect(decoder.endOfInput() == .complete)
    }

    @Test("trailers wait in the input until they are all there, and are looked at once")
    func trailersWait() {
        let input = buffer(bytes("0\r\nX: y\r\nZ: 1\r\n"))
        var decoder = ContentDecoder(.chunked)
        #expect(decoder.next(input, from: 0) == .incomplete(skip: 3))
        #expect(decoder.next(input, from: 3) == .incomplete(skip: 0))
        #expect(decoder.endOfInput() == .truncated)
        let more = buffer(bytes("X: y\r\nZ: 1\r\n\r\nGET"))
        #expect(decoder.next(more, from: 0) == .finished(skip: 0, trailers: 14))
        #expect(decoder.next(more, from: 14) == .finished(skip: 0, trailers: 0))
        #expect(decoder.endOfInput() == .complete)
    }

    @Test("a failure stays one, and is a bad response when we are the client")
    func failure() {
        let input = buffer(bytes("x"))
        var decoder = ContentDecoder(.chunked, role: .client)
        let failed = ContentDecoder.Step.failed(Refusal(status: 502, cause: .badChunkSize))
        #expect(decoder.next(input, from: 0) == failed)
        #expect(decoder.next(input, from: 1) == failed)
        #expect(decoder.endOfInput() == .truncated)
    }

    @Test("what the encoder writes, the decoder reads")
    func roundTrip() {
        var output = Buffer(capacity: 64)
        var content: [UInt8] = []
        for count in [1, 9, 15, 16, 17, 255, 256, 4096, 70_000] {
            let chunk = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            ContentEncoder.beginChunk(count, into: &output)
            output.append(chunk)
            ContentEncoder.endChunk(into: &output)
            content += chunk
        }
        ContentEncoder.lastChunk(into: &output)
        var written: [UInt8] = []
        for place in 0..<output.count {
            written.append(output.bytes[place])
        }
        let decoded = decode([written[...]], .chunked)
        #expect(decoded.content == content)
        #expect(decoded.end == .finished(left: 0))
        #expect(Array(written.prefix(8)) == bytes("1\r\n\u{0}\r\n9\r"))
    }

    @Test("the decoder is a small value")
    func size() {
        #expect(MemoryLayout<ContentDecoder>.size <= 32)
    }
}
