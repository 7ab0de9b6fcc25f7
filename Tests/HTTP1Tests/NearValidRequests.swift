/// Makes request heads that are valid, or nearly so; the same ones for the same seed.
struct NearValidRequests {
    /// SplitMix64.
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    private static let methods = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH"]
    private static let targets = [
        "/", "/a/b?c=d", "/%7Ea/../b", "/x?y=/z?", "http://a/", "http://a:80/b?c", "/;p=1", "/a//b",
    ]
    private static let lines = [
        "Accept: */*", "Accept-Encoding: gzip, br", "X-Empty:", "X-Blanks: \t a  b \t",
        "User-Agent: a (b; c) d/1.0", "Cookie: a=b; c=\"d\"", "Connection: keep-alive",
        "Connection: close", "Connection: close, x-a", "x-a: 1", "Range: bytes=0-1",
        "Content-Type: text/plain;charset=utf-8", "X-High: \u{E4}\u{FF}", "TE: trailers",
    ]
    private static let framings = [
        "Content-Length: 0", "Content-Length: 5", "Content-Length: 12", "content-length:7",
        "Transfer-Encoding: chunked", "transfer-encoding:chunked", "Transfer-Encoding: Chunked ",
    ]
    private static let oddities = [
        " ", "\t", "\r", "\n", "\r\n", "\0", ":", ",", ";", "\"", "+", "-", "0", "1", "0x", "_",
        "\u{7F}", "\u{80}", "\u{0B}", "\u{0C}", "\u{A0}", "chunked", "identity", ", chunked", "5",
        "\r\n ", " \r\n", "\r\nContent-Length: 6\r\n", "\r\nTransfer-Encoding: chunked\r\n",
        "\r\nTransfer-Encoding: x\r\n", "\r\nHost: b\r\n", "\r\n\r\n", " HTTP/1.1", "HTTP/1.0", "/",
        "\\", "#", "@", "%", "%00", "99999999999999999999", "Content-Length", "Transfer-Encoding",
    ]

    private mutating func number(below limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
    }

    private mutating func one(of choices: [String]) -> String {
        choices[number(below: choices.count)]
    }

    /// The next one: nothing in a quarter of them is wrong, up to three things in the others.
    mutating func next() -> [UInt8] {
        var head = bytes(valid())
        for _ in 0..<number(below: 4) { spoil(&head) }
        return head
    }

    private mutating func valid() -> String {
        let version = number(below: 8) == 0 ? "HTTP/1.0" : "HTTP/1.1"
        var lines = ["\(one(of: Self.methods)) \(one(of: Self.targets)) \(version)"]
        var fields = ["Host: a"]
        for _ in 0..<number(below: 4) { fields.append(one(of: Self.lines)) }
        if number(below: 3) > 0 { fields.append(one(of: Self.framings)) }
        while !fields.isEmpty { lines.append(fields.remove(at: number(below: fields.count))) }
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    private mutating func spoil(_ head: inout [UInt8]) {
        let place = number(below: max(1, head.count))
        switch number(below: 6) {
        case 0: head.insert(contentsOf: bytes(one(of: Self.oddities)), at: place)
        case 1 where place < head.count: head.remove(at: place)
        case 2 where place < head.count: head[place] = bytes(one(of: Self.oddities))[0]
        case 3 where place < head.count: head[place] ^= 0x20
        case 4 where place < head.count: head[place] = UInt8(number(below: 256))
        default: repeatLine(of: &head, at: place)
        }
    }

    private mutating func repeatLine(of head: inout [UInt8], at place: Int) {
        let end = head.count >= 2 ? head.count - 2 : 0
        let line = bytes(one(of: Self.framings + Self.lines) + "\r\n")
        // Behind the line that stands at the place, or at the end.
        var after = min(place, end)
        while after < end, head[after] != UInt8(ascii: "\n") { after += 1 }
        head.insert(contentsOf: line, at: min(after + 1, end))
    }
}
