internal import COpenSSL
internal import Memory

/// The keys that session tickets are sealed with, the same for all threads and listeners.
///
/// The newest one seals, those of before still open: who rotates at the same pace bounds how long
/// a stolen key tells what was said.
public final class TLSTicketKeys: Sendable {
    private struct Key {
        static var nameCount: Int { 16 }
        let name: [UInt8]
        let cipher: [UInt8]
        let mac: [UInt8]

        init() throws(SecureRandomError) {
            name = try SecureRandom.bytes(Self.nameCount)
            cipher = try SecureRandom.bytes(32)
            mac = try SecureRandom.bytes(32)
        }
    }

    private static var countMax: Int { 3 }
    private static var vectorCount: Int32 { 16 }
    private let keys: Locked<[Key]>

    /// One new key.
    public init() throws(SecureRandomError) {
        keys = Locked([try Key()])
    }

    /// Seals with a new key from now on, and forgets the oldest.
    public func rotate() throws(SecureRandomError) {
        let key = try Key()
        keys.withLock { keys in
            keys.insert(key, at: 0)
            if keys.count > Self.countMax { keys.removeLast() }
        }
    }

    /// Begins to seal a ticket: 1, or 0 for none.
    @unsafe
    func seal(
        _ name: UnsafeMutablePointer<UInt8>,
        _ vector: UnsafeMutablePointer<UInt8>,
        _ cipher: OpaquePointer?,
        _ mac: OpaquePointer?
    ) -> Int32 {
        guard let key = keys.withLock({ $0.first }),
            unsafe RAND_bytes(vector, Self.vectorCount) == 1
        else { return 0 }
        // Safe because OpenSSL has 16 bytes of room for the name.
        for (index, byte) in key.name.enumerated() { unsafe name[index] = byte }
        return unsafe copenssl_begin_ticket(cipher, mac, vector, key.cipher, key.mac, 1)
    }

    /// Begins to open a ticket: 1, 2 for one that should be sealed anew, 0 if it is not ours.
    @unsafe
    func open(
        _ name: UnsafeMutablePointer<UInt8>,
        _ vector: UnsafeMutablePointer<UInt8>,
        _ cipher: OpaquePointer?,
        _ mac: OpaquePointer?
    ) -> Int32 {
        let known = keys.withLock { $0 }
        // Safe because a ticket's name has 16 bytes.
        let sought = unsafe UnsafeBufferPointer(start: name, count: Key.nameCount)
        guard let place = known.firstIndex(where: { unsafe $0.name.elementsEqual(sought) }) else {
            return 0
        }
        let key = known[place]
        let isBegun = unsafe copenssl_begin_ticket(cipher, mac, vector, key.cipher, key.mac, 0)
        return isBegun == 1 ? (place == 0 ? 1 : 2) : 0
    }
}
