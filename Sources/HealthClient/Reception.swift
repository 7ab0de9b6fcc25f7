internal import CCurl

/// What libcurl's callbacks put down while an answer comes in.
struct Reception {
    var body: [UInt8] = []
    var bodyBytesMax: Int
    /// Names in lower case.
    var wantedFields: [[UInt8]]
    /// The fields that are wanted, of the last head.
    var fields: [HealthField] = []
    private var isLastWanted = false
    var headBytes = 0
    var isTooLarge = false
    /// Whether the blank line came that ends the head (the last one, after interim answers).
    ///
    /// libcurl takes a head that the end of the connection cuts off for a whole answer without
    /// content, which would look like a backend that stopped reporting its ID.
    var isHeadComplete = false

    init(bodyBytesMax: Int, wantedFields: [[UInt8]]) {
        self.bodyBytesMax = bodyBytesMax
        self.wantedFields = wantedFields
    }

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
    mutating func headLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        headBytes += bytes.count
        guard headBytes <= Self.headBytesMax else {
            isTooLarge = true
            return false
        }
        if unsafe bytes.starts(with: "HTTP/".utf8) {
            isHeadComplete = false
            fields = []
        } else if unsafe bytes.elementsEqual("\r\n".utf8) || bytes.elementsEqual("\n".utf8) {
            isHeadComplete = true
        } else if !isHeadComplete {
            unsafe takeField(Array(bytes))
        }
        return true
    }

    private mutating func takeField(_ line: [UInt8]) {
        guard let first = line.first, !Self.isBlank(first) else {
            // A value that goes on in another line, as no server writes it any more.
            if isLastWanted { _ = fields.popLast() }
            isLastWanted = false
            return
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        let name = line[..<colon].map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
        isLastWanted = wantedFields.contains(name)
        guard isLastWanted else { return }
        let value = line[colon...].dropFirst().drop(while: Self.isBlank)
        let end = value.lastIndex { !Self.isBlank($0) }
        fields.append(HealthField(name: name, value: end.map { Array(value[...$0]) } ?? []))
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
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
