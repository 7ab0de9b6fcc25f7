import Memory
import Testing

private func content(_ buffer: borrowing Buffer) -> [UInt8] {
    buffer.copy(from: 0, count: buffer.count)
}

private func text(_ buffer: borrowing Buffer) -> String {
    String(decoding: content(buffer), as: UTF8.self)
}

struct BufferTests {
    @Test("a buffer without memory has nothing and takes nothing")
    func empty() {
        var buffer = Buffer()
        #expect(buffer.count == 0)
        #expect(buffer.capacity == 0)
        #expect(buffer.writableCount == 0)
        let isEmpty = buffer.isEmpty
        #expect(isEmpty)
        let span = buffer.bytes.count
        #expect(span == 0)
        buffer.consume(0)
        buffer.truncate(to: 0)
        buffer.removeAll()
        buffer.reserve(0)
        buffer.append([])
        buffer.append("")
        #expect(buffer.capacity == 0)
        #expect(content(buffer) == [])
    }

    @Test("each way of writing at the back")
    func appends() {
        var other = Buffer()
        other.append("xxabcdexx")
        other.consume(2)
        var buffer = Buffer(capacity: 64)
        buffer.append("constant ")
        buffer.append(Array("array ".utf8))
        buffer.append(UInt8(ascii: "b"))
        let part: [UInt8] = [0x20, 0x73]
        buffer.append(part.span)
        buffer.append(other, from: 1, count: 3)
        buffer.append(other, from: 7, count: 0)
        buffer.append(Buffer(), from: 0, count: 0)
        #expect(text(buffer) == "constant array b sbcd")
        #expect(text(other) == "abcdexx")
        #expect(buffer.capacity == 64)
    }

    @Test("numbers at the back")
    func numbers() {
        let numbers: [UInt64] = [
            0, 1, 9, 10, 15, 16, 99, 100, 255, 256, 4096, .max / 10, .max / 10 + 1, .max / 16,
            .max / 16 + 1, .max - 1, .max,
        ]
        for number in numbers {
            var decimal = Buffer()
            decimal.append(decimal: number)
            #expect(text(decimal) == String(number))
            var hexadecimal = Buffer()
            hexadecimal.append(hexadecimal: number)
            #expect(text(hexadecimal) == String(number, radix: 16))
        }
    }

    @Test("room is made by moving to the front while that is enough, else by growing")
    func reserve() {
        var buffer = Buffer(capacity: 16)
        buffer.append("0123456789abcdef")
        #expect(buffer.writableCount == 0)
        buffer.consume(10)
        #expect(buffer.writableCount == 0)
        buffer.reserve(10)
        #expect(buffer.capacity == 16)
        #expect(buffer.writableCount == 10)
        #expect(text(buffer) == "abcdef")
        buffer.reserve(11)
        #expect(buffer.capacity == 4096)
        #expect(text(buffer) == "abcdef")
        buffer.reserve(4091)
        #expect(buffer.capacity == 8192)
        #expect(text(buffer) == "abcdef")
        buffer.reserve(100_000)
        #expect(buffer.writableCount >= 100_000)
        #expect(text(buffer) == "abcdef")
    }

    @Test("what overlaps is moved whole")
    func overlap() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var buffer = Buffer(capacity: 1000)
        buffer.append(bytes)
        buffer.consume(3)
        buffer.append(Array(bytes[..<3]))
        #expect(buffer.capacity == 1000)
        #expect(content(buffer) == Array(bytes[3...]) + bytes[..<3])
    }

    @Test("consuming all gives the whole room back; truncating takes off the back")
    func consumeAndTruncate() {
        var buffer = Buffer(capacity: 8)
        buffer.append("abcdefgh")
        buffer.consume(2)
        buffer.truncate(to: 3)
        #expect(text(buffer) == "cde")
        #expect(buffer.writableCount == 3)
        buffer.append("XYZ")
        #expect(text(buffer) == "cdeXYZ")
        buffer.consume(6)
        #expect(buffer.writableCount == 8)
        buffer.append("q")
        buffer.removeAll()
        #expect(buffer.writableCount == 8)
        #expect(content(buffer) == [])
    }

    @Test("the memory goes along, what waited does not")
    func takeStorage() {
        var buffer = Buffer(capacity: 32)
        buffer.append("waiting")
        buffer.consume(1)
        var taken = buffer.takeStorage()
        #expect(buffer.capacity == 0)
        #expect(buffer.count == 0)
        #expect(taken.capacity == 32)
        #expect(taken.writableCount == 32)
        #expect(taken.count == 0)
        taken.append("b")
        buffer.append("a")
        #expect(text(taken) == "b")
        #expect(text(buffer) == "a")
    }

    @Test("a copy of a part")
    func copy() {
        var buffer = Buffer()
        buffer.append("xabcdef")
        buffer.consume(1)
        #expect(buffer.copy(from: 0, count: 6) == Array("abcdef".utf8))
        #expect(buffer.copy(from: 2, count: 3) == Array("cde".utf8))
        #expect(buffer.copy(from: 6, count: 0) == [])
    }

    @Test("room that is lent out, and filled in part or not at all")
    func fill() {
        var buffer = Buffer(capacity: 4)
        buffer.append("a")
        let filled = unsafe buffer.fill { room in
            unsafe room.copyBytes(from: [0x62, 0x63])
            return room.count - 1
        }
        #expect(filled == 2)
        #expect(text(buffer) == "abc")
        let nothing = unsafe buffer.fill { _ in -1 }
        #expect(nothing == -1)
        #expect(text(buffer) == "abc")
        var none = Buffer()
        let room = unsafe none.fill { $0.count }
        #expect(room == 0)
    }

    @Test("any sequence of steps leaves what an array would", arguments: 1...8)
    func model(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        var buffer = Buffer()
        var model: [UInt8] = []
        for step in 0..<3000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0, 1:
                let more = (0..<Int.random(in: 0...300, using: &random)).map { UInt8($0 & 255) }
                buffer.append(more)
                model += more
            case 2:
                let byte = UInt8.random(in: 0...255, using: &random)
                buffer.append(byte)
                model.append(byte)
            case 3:
                let number = UInt64.random(in: 0 ... .max, using: &random) >> (step % 64)
                buffer.append(decimal: number)
                model += Array(String(number).utf8)
            case 4, 5, 6:
                let count = Int.random(in: 0...model.count, using: &random)
                buffer.consume(count)
                model.removeFirst(count)
            case 7:
                let count = Int.random(in: 0...model.count, using: &random)
                buffer.truncate(to: count)
                model.removeLast(model.count - count)
            case 8:
                let count = Int.random(in: 0...2000, using: &random)
                buffer.reserve(count)
                #expect(buffer.writableCount >= count)
            default:
                let other = buffer.takeStorage()
                buffer.append(Array(model.reversed()))
                model.reverse()
                #expect(other.count == 0)
            }
            guard content(buffer) == model, buffer.count == model.count else {
                Issue.record("seed \(seed), step \(step)")
                return
            }
        }
    }
}
