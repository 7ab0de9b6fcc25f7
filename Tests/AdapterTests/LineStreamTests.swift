import Glibc
import Linux
import Testing

/// The process's own streams cannot be had in a test: what is tested is what is put, not written.
@Suite("lines for a slow reader")
struct LineStreamTests {
    @Test("so much waits and no more; one batch always fits")
    func bound() {
        let batch = [UInt8](repeating: 0x61, count: 90)
        let big = [UInt8](repeating: 0x61, count: 300)
        var stream = LineStream(.output, limit: 100)
        var taken = [stream.isWaiting]
        taken.append(stream.put(batch))
        taken.append(stream.isWaiting)
        taken.append(stream.put(batch))
        taken.append(stream.put(Array(batch.prefix(10))))
        var other = LineStream(.output, limit: 100)
        taken.append(other.put(big))
        #expect(taken == [false, true, true, false, true, true])
    }
}
