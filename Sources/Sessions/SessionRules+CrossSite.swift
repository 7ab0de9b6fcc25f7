public import HTTPModel
public import Memory
internal import Settings

// Requests that other sites make with a browser's session (contract 2.5).
extension SessionRules {
    /// Whether a request may change something, or opens a channel that may.
    func isUnsafe(_ head: borrowing RequestHead) -> Bool {
        !head.method.isSafe || head.asksUpgrade
    }

    /// Whether a browser made it for another site, or for another origin of this one, that is not
    /// listed.
    ///
    /// `Sec-Fetch-Site` tells, and no page can forge it; browsers send it to https and to this
    /// machine alone. Where it is absent `Origin` is compared with `Host`. Without both it was no
    /// browser, or none of the last years. What stands there twice is foreign if one of it is.
    func isForeign(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
        var isSaid = false
        var isForeign = false
        var hasOrigin = false
        var isOther = false
        var isListed = true
        for index in 0..<head.fields.count {
            let value = head.fields[index].value
            switch head.fields[index].id {
            case .secFetchSite:
                if equalsIgnoringCase(bytes, value, "cross-site")
                    || equalsIgnoringCase(bytes, value, "same-site")
                {
                    isForeign = true
                } else if equalsIgnoringCase(bytes, value, "same-origin")
                    || equalsIgnoringCase(bytes, value, "none")
                {
                    isSaid = true
                }
            case .origin:
                hasOrigin = true
                if !isOwn(bytes, value, head.authority) { isOther = true }
                if !isListedOrigin(bytes, value) { isListed = false }
            default: break
            }
        }
        if hasOrigin && isListed { return false }
        return isForeign || !isSaid && isOther
    }

    /// The entry of `cors.origins` that would allow it; nil where there is no origin to name.
    ///
    /// For the log: nothing that a client sends comes out but the characters of an origin.
    public func missingOrigin(
        _ head: borrowing RequestHead,
        in input: borrowing Buffer
    ) -> String? {
        let bytes = input.bytes
        for index in 0..<head.fields.count where head.fields[index].id == .origin {
            let value = head.fields[index].value
            guard let parts = Origin(bytes, value), value.count <= 300 else { continue }
            let text = (value.start..<value.end).map { bytes[$0].lowercasedASCII }
            let isPlain = text[(parts.authority.start - value.start)...].allSatisfy { byte in
                switch byte {
                case 0x30...0x3A, 0x61...0x7A, 0x2D, 0x2E, 0x5B, 0x5D, 0x5F: true
                default: false
                }
            }
            if isPlain, !isListedOrigin(bytes, value) {
                return String(decoding: text, as: UTF8.self)
            }
        }
        return nil
    }

    private func isListedOrigin(_ bytes: Span<UInt8>, _ value: ByteRange) -> Bool {
        origins.contains { equalsIgnoringCase(bytes, value, $0) }
    }

    /// Whether an origin is the host that the request is for; `null` and what is none are not.
    ///
    /// The scheme does not count: in front of Lychgate it may be another one. It tells which port
    /// is meant where none is said.
    private func isOwn(_ bytes: Span<UInt8>, _ value: ByteRange, _ host: ByteRange) -> Bool {
        guard let origin = Origin(bytes, value) else { return false }
        let one = origin.withoutDefaultPort(bytes, origin.authority)
        let other = origin.withoutDefaultPort(bytes, host)
        return !one.isEmpty && equalsIgnoringCase(bytes, one, other)
    }
}

/// An `Origin` in its parts.
private struct Origin {
    let isSecure: Bool
    /// The host, and the port if it is not the default one.
    let authority: ByteRange

    init?(_ bytes: Span<UInt8>, _ value: ByteRange) {
        let secure = ByteRange(offset: value.start, count: min(8, Int(value.count)))
        let plain = ByteRange(offset: value.start, count: min(7, Int(value.count)))
        isSecure = equalsIgnoringCase(bytes, secure, "https://")
        guard isSecure || equalsIgnoringCase(bytes, plain, "http://") else { return nil }
        let length = isSecure ? 8 : 7
        authority = ByteRange(offset: value.start + length, count: Int(value.count) - length)
    }

    func withoutDefaultPort(_ bytes: Span<UInt8>, _ authority: ByteRange) -> ByteRange {
        let count = isSecure ? 4 : 3
        guard Int(authority.count) > count else { return authority }
        let end = ByteRange(offset: authority.end - count, count: count)
        let isDefault =
            isSecure
            ? equalsIgnoringCase(bytes, end, ":443") : equalsIgnoringCase(bytes, end, ":80")
        guard isDefault else { return authority }
        return ByteRange(offset: authority.start, count: Int(authority.count) - count)
    }
}
