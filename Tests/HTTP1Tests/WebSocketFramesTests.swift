import HTTP1
import Memory
import Testing

@Suite("WebSocket frames")
struct WebSocketFramesTests {
    /// A frame with so much content.
    private func frame(_ opcode: UInt8, count: Int, isMasked: Bool = false) -> [UInt8] {
        let mask: UInt8 = isMasked ? 0x80 : 0
        var bytes: [UInt8] = [0x80 | opcode]
        switch count {
        case ..<126: bytes.append(mask | UInt8(count))
        case ..<65_536: bytes += [mask | 126, UInt8(count >> 8), UInt8(count & 255)]
        default: bytes += [mask | 127] + (0..<8).map { UInt8(count >> (56 - 8 * $0) & 255) }
        }
        if isMasked { bytes += [1, 2, 3, 4] }
        return bytes + [UInt8](repeating: 0x88, count: count)
    }

    private func buffer(_ bytes: [UInt8]) -> Buffer {
        var buffer = Buffer(capacity: max(1, bytes.count))
        buffer.append(bytes)
        return buffer
    }

    @Test(
        "4.3 each end of a frame is found, and no other place, however the bytes come",
        arguments: [1, 2, 3, 7, 1000, 1 << 20]
    )
    func boundaries(step: Int) {
        var bytes: [UInt8] = []
        var ends: Set<Int> = [0]
        for (count, isMasked) in [
            (0, false), (1, true), (125, false), (126, true), (65_535, false), (65_536, true),
            (0, true), (127, false),
        ] {
            bytes += frame(2, count: count, isMasked: isMasked)
            ends.insert(bytes.count)
        }
        let input = buffer(bytes)
        var frames = WebSocketFrames()
        var place = 0
        var found: Set<Int> = []
        while true {
            if frames.isAtBoundary { found.insert(place) }
            guard place < bytes.count else { break }
            let count = min(step, bytes.count - place)
            frames.pass(input, from: place, count: count)
            place += count
        }
        #expect(found == ends.filter { $0 % step == 0 || $0 == bytes.count })
        #expect(!frames.sawClose && frames.isSound)
    }

    @Test("4.3 what surely belongs to the frame leads to its end, and never beyond")
    func toTheEnd() {
        for count in [0, 1, 125, 126, 70_000] {
            let bytes = frame(1, count: count, isMasked: count % 2 == 1) + frame(1, count: 5)
            let input = buffer(bytes)
            var frames = WebSocketFrames()
            frames.pass(input, from: 0, count: 1)
            var place = 1
            while !frames.isAtBoundary {
                let next = frames.bytesOfFrame
                frames.pass(input, from: place, count: next)
                place += next
            }
            #expect(place == bytes.count - 7)
        }
    }

    @Test("4.3 a Close is seen from its first byte on, and content that looks like one is not")
    func close() {
        var frames = WebSocketFrames()
        frames.pass(buffer(frame(1, count: 300)), from: 0, count: 304)
        #expect(!frames.sawClose && frames.isAtBoundary)
        frames.pass(buffer(WebSocketFrames.closeForRestart), from: 0, count: 1)
        #expect(frames.sawClose && !frames.isAtBoundary)
        frames.pass(buffer(WebSocketFrames.closeForRestart), from: 1, count: 3)
        #expect(frames.sawClose && frames.isAtBoundary)
        #expect(WebSocketFrames.closeForRestart == [0x88, 2, 1012 >> 8, 1012 & 255])
    }

    @Test("4.3 the greatest length is stepped over, a greater one is no frame")
    func greatLengths() {
        var frames = WebSocketFrames()
        frames.pass(
            buffer([0x82, 127, 0x7F] + [UInt8](repeating: 255, count: 7)),
            from: 0,
            count: 10
        )
        #expect(frames.isSound && !frames.isAtBoundary && frames.bytesOfFrame == .max)
        frames.pass(buffer([UInt8](repeating: 0, count: 1000)), from: 0, count: 1000)
        #expect(frames.isSound && frames.bytesOfFrame == .max - 1000)
        var other = WebSocketFrames()
        other.pass(buffer([0x82, 127, 0x80] + [UInt8](repeating: 0, count: 7)), from: 0, count: 10)
        #expect(!other.isSound && !other.isAtBoundary)
        other.pass(buffer(frame(1, count: 3)), from: 0, count: 5)
        #expect(!other.isAtBoundary && !other.sawClose)
    }

    @Test("what does not stand in the buffer is not read")
    func outside() {
        var frames = WebSocketFrames()
        frames.pass(buffer([0x81]), from: 0, count: 100)
        frames.pass(buffer([0x81]), from: 5, count: 100)
        #expect(!frames.isAtBoundary && frames.bytesOfFrame == 1)
    }
}
