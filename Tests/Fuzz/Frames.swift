// The target of WebSocket frames: each input is one direction of a tunnel.

import HTTP1
import Memory

/// A frame as RFC 6455 §5.2 draws it, found in the plainest way.
struct PlainFrame {
    var isClose: Bool
    /// Where its content begins and ends; nil where the bytes do not say yet.
    var content: (start: Int, end: UInt64)?
    var isSound = true

    init(_ bytes: [UInt8], at start: Int) {
        isClose = bytes[start] % 16 == 8
        guard start + 1 < bytes.count else { return }
        let code = bytes[start + 1] % 128
        let size = code == 126 ? 2 : code == 127 ? 8 : 0
        let mask = bytes[start + 1] >= 128 ? 4 : 0
        let head = start + 2 + size + mask
        guard head <= bytes.count else { return }
        let digits = bytes[(start + 2)..<(start + 2 + size)]
        let length = size == 0 ? UInt64(code) : digits.reduce(0) { $0 << 8 | UInt64($1) }
        isSound = length < 1 << 63
        content = isSound ? (head, UInt64(head) + length) : (head, UInt64(head))
    }
}

/// Runs one input: where frames end does not depend on how the bytes arrive.
func fuzzFrames(_ bytes: [UInt8], choice: UInt8) {
    // Of each place, whether a frame ends there, and how much of one surely follows.
    var ends: Set<Int> = [0]
    var closedFrom = Int.max
    var unsoundFrom = Int.max
    var place = 0
    var contents: [(start: Int, end: UInt64)] = []
    while place < bytes.count {
        let frame = PlainFrame(bytes, at: place)
        if frame.isClose { closedFrom = min(closedFrom, place) }
        guard let content = frame.content else { break }
        if !frame.isSound {
            unsoundFrom = content.start
            break
        }
        contents.append(content)
        guard content.end <= UInt64(bytes.count) else { break }
        place = Int(content.end)
        ends.insert(place)
    }
    let input = buffer(bytes)
    let step = 1 + Int(choice >> 3) % 7
    var frames = WebSocketFrames()
    var cut = 0
    while true {
        let isSound = cut < unsoundFrom
        check(frames.isSound == isSound, "sound at \(cut)")
        check(frames.isAtBoundary == (isSound && ends.contains(cut)), "boundary at \(cut)")
        check(!isSound || frames.sawClose == (closedFrom < cut), "close at \(cut)")
        check(frames.bytesOfFrame > 0, "no progress at \(cut)")
        if isSound, !frames.isAtBoundary {
            if let next = ends.filter({ $0 > cut }).min() {
                check(frames.bytesOfFrame <= next - cut, "beyond the frame at \(cut)")
            }
            if let content = contents.first(where: { $0.start <= cut && UInt64(cut) < $0.end }) {
                let left = Int(clamping: content.end - UInt64(cut))
                check(frames.bytesOfFrame == left, "\(left) left at \(cut)")
            }
        }
        guard cut < bytes.count else { break }
        let count = min(step, bytes.count - cut)
        frames.pass(input, from: cut, count: count)
        cut += count
    }
    var whole = WebSocketFrames()
    whole.pass(input, from: 0, count: bytes.count)
    check(whole.isAtBoundary == frames.isAtBoundary, "the whole ends elsewhere")
    check(!whole.isSound || whole.sawClose == frames.sawClose, "the whole is not closed")
}
