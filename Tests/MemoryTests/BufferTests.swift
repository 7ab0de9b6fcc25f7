import Memory
import Testing
import Time

extension Buffer {
    /// What waits, as an array.
    fileprivate var array: [UInt8] { copy(from: 0, count: count) }
}

struct BufferTests {
    @Test("every way to write")
    func appends() {
        var buffer = Buffer()
        buffer.append("GET ")
        buffer.append(UInt8(ascii: "/"))
        buffer.append([0x61, 0x62])
        var other = Buffer(capacity: 16)
        other.append("0123456789")
        buffer.append(other, from: 2, count: 3)
        buffer.append(other, from: 10, count: 0)
        buffer.append([0xFF].span)
        #expect((buffer.array == Array("GET /ab234".utf8) + [0xFF]) as Bool)
    }

    @Test(
        "numbers",
        arguments: [
            (UInt64(0), "0", "0"), (9, "9", "9"), (10, "10", "a"), (255, "255", "ff"),
            (4096, "4096", "1000"), (.max, "18446744073709551615", "ffffffffffffffff"),
        ]
    )
    func numbers(number: UInt64, decimal: String, hexadecimal: String) {
        var buffer = Buffer()
        buffer.append(decimal: number)
        #expect((buffer.array == Array(decimal.utf8)) as Bool)
        buffer.removeAll()
        buffer.append(hexadecimal: number)
        #expect((buffer.array == Array(hexadecimal.utf8)) as Bool)
    }

    @Test("reserve moves what waits to the front if that is enough, and grows if not")
    func reserve() {
        var buffer = Buffer(capacity: 8)
        buffer.append("abcdefgh")
        buffer.consume(6)
        buffer.reserve(6)
        #expect((buffer.capacity == 8) as Bool)
        #expect((buffer.writableCount == 6) as Bool)
        #expect((buffer.array == Array("gh".utf8)) as Bool)
        buffer.reserve(7)
        #expect((buffer.capacity >= 9) as Bool)
        #expect((buffer.array == Array("gh".utf8)) as Bool)
    }

    @Test("an empty buffer gives its memory away, and takes new when it needs it")
    func storage() {
        var buffer = Buffer(capacity: 64)
        buffer.append("x")
        let taken = buffer.takeStorage()
        #expect((taken.capacity == 64 && taken.isEmpty) as Bool)
        #expect((buffer.capacity == 0 && buffer.isEmpty) as Bool)
        buffer.append("again")
        #expect((buffer.array == Array("again".utf8)) as Bool)
    }

    @Test("a seeded random walk against an array")
    func model() {
        var buffer = Buffer()
        var model: [UInt8] = []
        var state: UInt64 = 7
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for step in 0..<20_000 {
            switch random(5) {
            case 0, 1:
                let bytes = (0..<random(300)).map { UInt8(truncatingIfNeeded: $0 &+ step) }
                buffer.append(bytes)
                model += bytes
            case 2:
                let count = random(model.count + 1)
                buffer.consume(count)
                model.removeFirst(count)
            case 3:
                let count = random(model.count + 1)
                buffer.truncate(to: count)
                model.removeLast(model.count - count)
            default: buffer.reserve(random(500))
            }
            #expect((buffer.count == model.count) as Bool)
            if step % 97 == 0 { #expect((buffer.array == model) as Bool) }
        }
        #expect((buffer.array == model) as Bool)
    }
}

struct TimeTests {
    @Test("sums saturate at the end of time")
    func saturation() {
        let late = MonotonicTime(nanoseconds: .max - 5)
        #expect(late + .seconds(1) == .distantFuture)
        #expect(late + Nanoseconds(.seconds(1)) == .distantFuture)
        #expect(MonotonicTime.zero + .milliseconds(3) == MonotonicTime(nanoseconds: 3_000_000))
        #expect(Duration.seconds(Int64.max).nanoseconds == .max)
        #expect(Nanoseconds(.seconds(400 * 86400)).count == 34_560_000_000_000_000)
    }

    @Test("differences have a sign")
    func differences() {
        let earlier = MonotonicTime(nanoseconds: 10)
        let later = MonotonicTime(nanoseconds: 25)
        #expect(later - earlier == .nanoseconds(15))
        #expect(earlier - later == .nanoseconds(-15))
        #expect(earlier < later)
    }
}
