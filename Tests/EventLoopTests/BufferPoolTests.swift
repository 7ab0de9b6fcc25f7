import EventLoop
import Memory
import Testing

struct BufferPoolTests {
    @Test("two sizes, empty, and what is given back is handed out again")
    func sizes() {
        var pool = BufferPool()
        var small = pool.takeSmall()
        #expect(small.capacity == BufferPool.smallCapacity)
        small.append("left over")
        pool.give(small)
        let again = pool.takeSmall()
        #expect(again.capacity == BufferPool.smallCapacity)
        #expect(again.count == 0)
        #expect(again.writableCount == BufferPool.smallCapacity)
        let large = pool.takeLarge()
        #expect(large.capacity == BufferPool.largeCapacity)
        #expect(large.count == 0)
    }

    @Test("the last one given back is the first one handed out")
    func order() {
        var pool = BufferPool()
        var first = pool.takeSmall()
        var second = pool.takeSmall()
        let marks = (mark(&first, "first"), mark(&second, "second"))
        pool.give(first)
        pool.give(second)
        var again = pool.takeSmall()
        let last = mark(&again, "")
        #expect(last == marks.1)
        var other = pool.takeSmall()
        let before = mark(&other, "")
        #expect(before == marks.0)
    }

    @Test("more given back than are kept, and odd sizes, are freed")
    func surplus() {
        var pool = BufferPool()
        for _ in 0..<200 { pool.give(Buffer(capacity: BufferPool.smallCapacity)) }
        for _ in 0..<20 { pool.give(Buffer(capacity: BufferPool.largeCapacity)) }
        pool.give(Buffer(capacity: 4096))
        pool.give(Buffer())
        for _ in 0..<100 {
            let buffer = pool.takeSmall()
            #expect(buffer.capacity == BufferPool.smallCapacity)
        }
        let buffer = pool.takeLarge()
        #expect(buffer.capacity == BufferPool.largeCapacity)
    }

    @Test("a buffer is equipped once, and with the large size only when it is empty")
    func equip() {
        var pool = BufferPool()
        var buffer = Buffer()
        pool.equip(&buffer)
        #expect(buffer.capacity == BufferPool.smallCapacity)
        buffer.append("waiting")
        pool.equip(&buffer, forMore: true)
        #expect(buffer.capacity == BufferPool.smallCapacity)
        #expect(buffer.count == 7)
        buffer.consume(7)
        pool.equip(&buffer, forMore: true)
        #expect(buffer.capacity == BufferPool.largeCapacity)
        pool.equip(&buffer)
        #expect(buffer.capacity == BufferPool.largeCapacity)
        var fresh = Buffer()
        pool.equip(&fresh, forMore: true)
        #expect(fresh.capacity == BufferPool.largeCapacity)
    }

    @Test("only an empty buffer loses its memory")
    func strip() {
        var pool = BufferPool()
        var buffer = pool.takeSmall()
        buffer.append("a")
        pool.strip(&buffer)
        #expect(buffer.count == 1)
        #expect(buffer.capacity == BufferPool.smallCapacity)
        buffer.consume(1)
        pool.strip(&buffer)
        #expect(buffer.capacity == 0)
        pool.strip(&buffer)
        #expect(buffer.capacity == 0)
    }

    /// Where a buffer's memory is, after something was written into it.
    private func mark(_ buffer: inout Buffer, _ text: StaticString) -> UInt {
        buffer.append(text)
        var place: UInt = 0
        _ = unsafe buffer.fill { room in
            place = UInt(bitPattern: room.baseAddress)
            return 0
        }
        return place - UInt(buffer.count)
    }
}
