/// Bytes in a row that are read at the front and written at the back, in memory that it owns.
///
/// A connection has one for each direction. An empty buffer can give its memory back
/// (`takeStorage`), so that an idle connection costs none. Take `bytes` inside the function that
/// uses them, and never across a mutation: that is why parsers take a whole `borrowing Buffer`.
@safe
@frozen
public struct Buffer: ~Copyable {
    @usableFromInline var base: UnsafeMutableRawPointer?
    @usableFromInline var size: Int
    @usableFromInline var start = 0
    @usableFromInline var end = 0

    /// How many bytes fit in all, with what is read already.
    @inlinable public var capacity: Int { size }

    /// A buffer without memory.
    public init() {
        unsafe base = nil
        size = 0
    }

    /// A buffer of a fixed size.
    public init(capacity: Int) {
        precondition(capacity > 0)
        unsafe base = .allocate(byteCount: capacity, alignment: 64)
        size = capacity
    }

    deinit {
        unsafe base?.deallocate()
    }

    /// How many bytes wait to be read.
    @inlinable public var count: Int { end - start }

    /// Whether nothing waits to be read.
    @inlinable public var isEmpty: Bool { start == end }

    /// How many bytes can be written behind the last one without moving or growing.
    @inlinable public var writableCount: Int { size - end }

    /// The bytes that wait to be read.
    public var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get {
            // Safe because start…end lies within the allocation and is initialised.
            let raw = unsafe UnsafeRawBufferPointer(
                start: base.map { unsafe $0 + start },
                count: end - start
            )
            let span = unsafe Span<UInt8>(_unsafeBytes: raw)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Drops bytes from the front.
    ///
    /// - Precondition: at most `count`.
    @inlinable
    public mutating func consume(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= end - start)
        start += byteCount
        if start == end {
            start = 0
            end = 0
        }
    }

    /// Drops everything, keeps the memory.
    public mutating func removeAll() {
        start = 0
        end = 0
    }

    /// Takes bytes off the back again, down to `byteCount`.
    ///
    /// - Precondition: `byteCount` is at most `count`.
    public mutating func truncate(to byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= end - start)
        end = start + byteCount
    }

    /// Makes room for `byteCount` more, by moving what waits to the front or by growing.
    @inlinable
    @inline(__always)
    public mutating func reserve(_ byteCount: Int) {
        if writableCount < byteCount { makeRoom(byteCount) }
    }

    @usableFromInline
    mutating func makeRoom(_ byteCount: Int) {
        let waiting = end - start
        if let base = unsafe base, capacity - waiting >= byteCount {
            unsafe base.copyMemory(from: base + start, byteCount: waiting)
        } else {
            let grown = max(capacity * 2, (waiting + byteCount + 4095) & ~4095)
            let memory = UnsafeMutableRawPointer.allocate(byteCount: grown, alignment: 64)
            if let base = unsafe base {
                unsafe memory.copyMemory(from: base + start, byteCount: waiting)
                unsafe base.deallocate()
            }
            unsafe base = memory
            size = grown
        }
        start = 0
        end = waiting
    }

    /// Writes bytes at the back, growing if need be.
    public mutating func append(_ source: Span<UInt8>) {
        // Safe because the source is only read, within its bounds, during the call.
        unsafe source.withUnsafeBytes { unsafe append($0) }
    }

    /// Writes a part of another buffer's waiting bytes at the back.
    ///
    /// - Precondition: the range lies within `source.count`.
    public mutating func append(_ source: borrowing Buffer, from offset: Int, count: Int) {
        precondition(offset >= 0 && count >= 0 && offset <= source.count - count)
        guard let from = unsafe source.base, count > 0 else { return }
        unsafe append(UnsafeRawBufferPointer(start: from + source.start + offset, count: count))
    }

    /// Writes the bytes of an array at the back.
    public mutating func append(_ source: [UInt8]) {
        unsafe source.withUnsafeBytes { unsafe append($0) }
    }

    /// Writes a constant at the back.
    public mutating func append(_ text: StaticString) {
        unsafe append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Writes one byte at the back.
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        // Safe because reserve left room for one byte.
        unsafe base?.storeBytes(of: byte, toByteOffset: end, as: UInt8.self)
        end += 1
    }

    /// Writes a number in decimal digits at the back.
    public mutating func append(decimal number: UInt64) {
        append(number, radix: 10)
    }

    /// Writes a number in hexadecimal digits at the back.
    public mutating func append(hexadecimal number: UInt64) {
        append(number, radix: 16)
    }

    /// Writes the bytes of four words at the back, of each the lowest first.
    @inlinable
    public mutating func append(words: (UInt64, UInt64, UInt64, UInt64)) {
        reserve(32)
        guard let base = unsafe base else { return }
        // Safe because reserve left room for 32 bytes.
        let room = unsafe base + end
        unsafe room.storeBytes(of: words.0.littleEndian, toByteOffset: 0, as: UInt64.self)
        unsafe room.storeBytes(of: words.1.littleEndian, toByteOffset: 8, as: UInt64.self)
        unsafe room.storeBytes(of: words.2.littleEndian, toByteOffset: 16, as: UInt64.self)
        unsafe room.storeBytes(of: words.3.littleEndian, toByteOffset: 24, as: UInt64.self)
        end &+= 32
    }

    private mutating func append(_ number: UInt64, radix: UInt64) {
        var divisor: UInt64 = 1
        while number / divisor >= radix {
            divisor *= radix
        }
        while divisor > 0 {
            let digit = UInt8(number / divisor % radix)
            append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            divisor /= radix
        }
    }

    private mutating func append(_ source: UnsafeRawBufferPointer) {
        guard let from = source.baseAddress, source.count > 0 else { return }
        reserve(source.count)
        // Safe because reserve left room, and the source is alive for the call and elsewhere.
        unsafe base.map { unsafe ($0 + end).copyMemory(from: from, byteCount: source.count) }
        end += source.count
    }

    /// A copy of a part of what waits, for what is kept aside; not for the way of a request.
    ///
    /// - Precondition: the range lies within `count`.
    public func copy(from offset: Int, count: Int) -> [UInt8] {
        let part = bytes.extracting(offset..<offset + count)
        return unsafe part.withUnsafeBytes { unsafe Array($0) }
    }

    /// Moves the memory out and leaves a buffer without any; what waited is dropped.
    public mutating func takeStorage() -> Buffer {
        var taken = Buffer()
        swap(&taken, &self)
        taken.removeAll()
        return taken
    }
}

extension Buffer {
    /// Lends the room behind the last byte to a system call, which says how much it filled.
    ///
    /// For adapters: `body` must return how many bytes it wrote, or a negative number for none.
    @unsafe
    public mutating func fill(_ body: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        guard let base = unsafe base else {
            return unsafe body(UnsafeMutableRawBufferPointer(start: nil, count: 0))
        }
        let written = unsafe body(
            UnsafeMutableRawBufferPointer(start: base + end, count: capacity - end)
        )
        precondition(written <= capacity - end)
        end += max(0, written)
        return written
    }
}
