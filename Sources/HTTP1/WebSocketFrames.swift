public import Memory

/// Follows one direction of a WebSocket from frame to frame (RFC 6455 §5.2), to know where one
/// ends and whether a Close has passed.
///
/// Bytes in any pieces go in, as they are sent on. Only headers are looked at, two to fourteen
/// bytes of each frame: content is stepped over, so neither masks nor extensions matter.
public struct WebSocketFrames: Sendable {
    /// A Close frame of a server with status 1012, Service Restart (RFC 6455 §7.4, IANA).
    public static let closeForRestart: [UInt8] = [0x88, 0x02, 0x03, 0xF4]

    private static var close: UInt8 { 8 }

    /// Content of the present frame that is still to come.
    private var contentLeft: UInt64 = 0
    /// What came of the present frame's header: how many bytes, the length that they tell, and
    /// how many bytes there are in all as far as is known.
    private var headerCount: UInt8 = 0
    private var headerSize: UInt8 = 2
    private var lengthSize: UInt8 = 0
    private var length: UInt64 = 0
    /// Whether a Close frame has begun.
    public private(set) var sawClose = false
    /// Whether all that came could be frames; if not, nothing is known of their ends any more.
    public private(set) var isSound = true

    /// Before the first frame.
    public init() {}

    /// Whether the last frame that began has ended.
    public var isAtBoundary: Bool { isSound && contentLeft == 0 && headerCount == 0 }

    /// Within a frame, how many bytes come next that surely belong to it; at least one.
    public var bytesOfFrame: Int {
        contentLeft > 0
            ? Int(clamping: contentLeft) : Int(max(1, headerSize &- min(headerSize, headerCount)))
    }

    /// Takes in the next bytes, which stand in `input` from `offset` on.
    public mutating func pass(_ input: borrowing Buffer, from offset: Int, count: Int) {
        let bytes = input.bytes
        var place = max(0, offset)
        let end = min(bytes.count, offset + count)
        while place < end && isSound {
            let step = min(UInt64(end - place), contentLeft)
            contentLeft -= step
            place += Int(step)
            if place < end {
                takeHeader(bytes[place])
                place += 1
            }
        }
    }

    private mutating func takeHeader(_ byte: UInt8) {
        headerCount += 1
        switch headerCount {
        case 1: if byte & 0x0F == Self.close { sawClose = true }
        case 2: takeLength(byte)
        case 3..<(3 + lengthSize): length = length << 8 | UInt64(byte)
        default: break  // The mask.
        }
        guard headerCount == headerSize else { return }
        // The highest bit is never set.
        isSound = length < 1 << 63
        contentLeft = length
        headerCount = 0
        headerSize = 2
        lengthSize = 0
        length = 0
    }

    private mutating func takeLength(_ byte: UInt8) {
        switch byte & 0x7F {
        case 126: lengthSize = 2
        case 127: lengthSize = 8
        default: length = UInt64(byte & 0x7F)
        }
        headerSize = 2 + lengthSize + (byte & 0x80 != 0 ? 4 : 0)
    }
}
