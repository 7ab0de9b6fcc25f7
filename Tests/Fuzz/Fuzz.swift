// What the fuzz targets share. Each checks properties, not only for traps.

import Glibc
import HTTPModel
import Memory

/// Where a property that does not hold is told.
enum Findings {
    /// The tests set it; the fuzzer wants the process to end.
    @TaskLocal static var record: (@Sendable (String) -> Void)?
}

func check(_ condition: Bool, _ message: @autoclosure () -> String) {
    if condition { return }
    guard let record = Findings.record else { fatalError(message()) }
    record(message())
}

func buffer(_ bytes: some Collection<UInt8>) -> Buffer {
    // As large as the bytes, so that the sanitizer sees a step beyond them.
    var buffer = bytes.isEmpty ? Buffer() : Buffer(capacity: bytes.count)
    buffer.append(Array(bytes))
    return buffer
}

func lowercase(_ bytes: [UInt8], _ range: ByteRange) -> String {
    String(decoding: bytes[range.start..<range.end], as: Unicode.UTF8.self).lowercased()
}

/// What libFuzzer lends for one call.
func array(_ start: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
    // Safe because there are `count` bytes for the length of the call.
    unsafe Array(UnsafeBufferPointer(start: start, count: count))
}

func environment(_ name: String) -> String {
    unsafe getenv(name).map { unsafe String(cString: $0) } ?? ""
}
