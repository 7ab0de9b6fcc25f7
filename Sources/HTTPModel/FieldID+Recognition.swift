internal import Memory

extension FieldID {
    /// Which known field a name is: by its length, then by comparing eight bytes at a time.
    ///
    /// The name must be a token. Then one bit makes letters small and leaves digits and "-" as
    /// they are, and no other token byte becomes one of them by it.
    public static func recognise(_ bytes: Span<UInt8>, _ name: ByteRange) -> FieldID {
        let count = Int(name.count)
        let start = name.start
        guard name.end <= bytes.count else { return .other }
        guard count > 8 else { return recogniseShort(firstBytes(bytes, start, count)) }
        guard count <= 16 else { return recogniseLong(bytes, name) }
        // The last eight bytes tell the names of one length apart; the first then must fit.
        guard let first = bytes.word(at: start),
            let last = bytes.word(at: start &+ count &- 8)
        else { return .other }
        return recogniseMedium(count, first | smallLetters, last | smallLetters)
    }

    /// Turns capital letters into small ones, and "_" into 0x7F, which no name has.
    private static var smallLetters: UInt64 { 0x2020_2020_2020_2020 }

    /// At most eight bytes as a word in lower case, with zeros behind them.
    @inline(__always)
    private static func firstBytes(_ bytes: Span<UInt8>, _ start: Int, _ count: Int) -> UInt64 {
        let mask: UInt64 = count == 8 ? .max : 1 &<< UInt64(count &* 8) &- 1
        if let word = bytes.word(at: start) { return (word | smallLetters) & mask }
        var word: UInt64 = 0
        for index in 0..<count {
            word |= UInt64(bytes[start &+ index]) &<< UInt64(index &* 8)
        }
        return (word | smallLetters) & mask
    }

    @inline(__always)
    private static func recogniseShort(_ word: UInt64) -> FieldID {
        switch word {
        case UInt64(word: "te"): .te
        case UInt64(word: "via"): .via
        case UInt64(word: "host"): .host
        case UInt64(word: "vary"): .vary
        case UInt64(word: "accept"): .accept
        case UInt64(word: "cookie"): .cookie
        case UInt64(word: "origin"): .origin
        case UInt64(word: "expect"): .expect
        case UInt64(word: "trailer"): .trailer
        case UInt64(word: "upgrade"): .upgrade
        case UInt64(word: "date"): .date
        default: .other
        }
    }

    /// A name of nine to sixteen bytes.
    @inline(__always)
    private static func recogniseMedium(
        _ count: Int,
        _ first: UInt64,
        _ last: UInt64
    ) -> FieldID {
        func fits(_ start: StaticString, _ id: FieldID) -> FieldID {
            first == UInt64(word: start) ? id : .other
        }
        switch count {
        case 9:
            return last == UInt64(word: "orwarded") ? fits("forwarde", .forwarded) : .other
        case 10:
            if last == UInt64(word: "nnection") { return fits("connecti", .connection) }
            if last == UInt64(word: "t-cookie") { return fits("set-cook", .setCookie) }
            return last == UInt64(word: "ep-alive") ? fits("keep-ali", .keepAlive) : .other
        case 12:
            if last == UInt64(word: "ent-type") { return fits("content-", .contentType) }
            if last == UInt64(word: "forwards") { return fits("max-forw", .maxForwards) }
            return last == UInt64(word: "quest-id") ? fits("x-reques", .xRequestID) : .other
        case 13:
            if last == UInt64(word: "-control") { return fits("cache-co", .cacheControl) }
            return last == UInt64(word: "rization") ? fits("authoriz", .authorization) : .other
        case 14:
            if last == UInt64(word: "t-length") { return fits("content-", .contentLength) }
            if last == UInt64(word: "t\u{7F}length") {
                return fits("content\u{7F}", .framingAlias)
            }
            if last == UInt64(word: "tch-site") { return fits("sec-fetc", .secFetchSite) }
            if last == UInt64(word: "tch-dest") { return fits("sec-fetc", .secFetchDest) }
            return last == UInt64(word: "settings") ? fits("http2-se", .http2Settings) : .other
        case 15:
            if last == UInt64(word: "encoding") { return fits("accept-e", .acceptEncoding) }
            return last == UInt64(word: "rded-for") ? fits("x-forwar", .xForwardedFor) : .other
        case 16:
            if last == UInt64(word: "encoding") { return fits("content-", .contentEncoding) }
            if last == UInt64(word: "ded-host") { return fits("x-forwar", .xForwardedHost) }
            return last == UInt64(word: "nnection") ? fits("proxy-co", .proxyConnection) : .other
        default:
            return .other
        }
    }

    /// A name of seventeen bytes and more.
    private static func recogniseLong(_ bytes: Span<UInt8>, _ name: ByteRange) -> FieldID {
        func fits(_ lowercase: StaticString, _ id: FieldID) -> FieldID {
            bytes.matchesIgnoringCase(at: name.start, lowercase) ? id : .other
        }
        switch name.count {
        case 17:
            if fits("transfer_encoding", .framingAlias) != .other { return .framingAlias }
            let id = fits("transfer-encoding", .transferEncoding)
            return id != .other ? id : fits("x-forwarded-proto", .xForwardedProto)
        case 18: return fits("proxy-authenticate", .proxyAuthenticate)
        case 19: return fits("proxy-authorization", .proxyAuthorization)
        case 21: return fits("x-client-cert-subject", .xClientCertSubject)
        case 25: return fits("proxy-authentication-info", .proxyAuthenticationInfo)
        default: return .other
        }
    }
}
