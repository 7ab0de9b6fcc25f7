import EventLoop
import Memory
import Testing

struct BufferPoolTests {
    @Test("an idle connection holds no memory, a busy one does, a large body has more")
    func equipAndStrip() {
        var pool = BufferPool()
        var buffer = Buffer()
        pool.equip(&buffer)
        #expect((buffer.capacity == BufferPool.smallCapacity) as Bool)
        buffer.append("waiting")
        pool.strip(&buffer)
        #expect((buffer.capacity == BufferPool.smallCapacity) as Bool, "bytes wait in it")
        pool.equip(&buffer, forMore: true)
        #expect((buffer.capacity == BufferPool.smallCapacity) as Bool, "bytes wait in it")
        buffer.consume(7)
        pool.equip(&buffer, forMore: true)
        #expect((buffer.capacity == BufferPool.largeCapacity) as Bool)
        pool.strip(&buffer)
        #expect((buffer.capacity == 0) as Bool)
    }

    @Test("what is given back is empty when it is handed out again")
    func reuse() {
        var pool = BufferPool()
        var buffer = pool.takeSmall()
        buffer.append("secret")
        pool.give(buffer)
        let again = pool.takeSmall()
        #expect((again.isEmpty) as Bool)
        #expect((again.capacity == BufferPool.smallCapacity) as Bool)
    }

    @Test("memory that had to grow is freed, not kept under a wrong size")
    func oddSizes() {
        var pool = BufferPool()
        pool.give(Buffer(capacity: 40_000))
        let small = pool.takeSmall()
        let large = pool.takeLarge()
        #expect((small.capacity == BufferPool.smallCapacity) as Bool)
        #expect((large.capacity == BufferPool.largeCapacity) as Bool)
    }
}
