internal import CCurl

/// What libcurl's callbacks put down while an answer comes in.
struct Reception {
    var body: [UInt8] = []
    var bodyBytesMax: Int
    var headBytes = 0
    var isTooLarge = false

    /// The status line and all field lines, those of 1xx answers included.
    static let headBytesMax = 64 * 1024

    /// Takes in content; false to give up.
    mutating func content(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard body.count + bytes.count <= bodyBytesMax else {
            isTooLarge = true
            return false
        }
        unsafe body.append(contentsOf: bytes)
        return true
    }

    /// Takes in a line of the head; false to give up.
    ///
    /// The lines themselves are of no use yet: identity is read from the content.
    mutating func headLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        headBytes += bytes.count
        guard headBytes <= Self.headBytesMax else {
            isTooLarge = true
            return false
        }
        return true
    }
}

/// The two callbacks; each says how many bytes it took, and fewer than it was given is "give up".
enum ReceptionCallback {
    static let content: curl_write_callback = { bytes, size, count, reception in
        unsafe receive(bytes, size &* count, reception) { unsafe $0.pointee.content($1) }
    }

    static let head: curl_write_callback = { bytes, size, count, reception in
        unsafe receive(bytes, size &* count, reception) { unsafe $0.pointee.headLine($1) }
    }

    private static func receive(
        _ bytes: UnsafeMutablePointer<CChar>?,
        _ count: Int,
        _ reception: UnsafeMutableRawPointer?,
        _ take: (UnsafeMutablePointer<Reception>, UnsafeRawBufferPointer) -> Bool
    ) -> Int {
        guard let reception = unsafe reception else { return -1 }
        // Safe because the pointer is the one that HealthClient set, to a Reception that it owns.
        let owned = unsafe reception.assumingMemoryBound(to: Reception.self)
        let isTaken = unsafe take(owned, UnsafeRawBufferPointer(start: bytes, count: count))
        return isTaken ? count : -1
    }
}
