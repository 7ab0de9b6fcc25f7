internal import Memory

extension FieldID {
    /// Which known field a name is; by its length, then by comparing.
    public static func recognise(_ bytes: Span<UInt8>, _ name: ByteRange) -> FieldID {
        func matches(_ lowercase: StaticString) -> Bool {
            bytes.matchesIgnoringCase(at: name.start, lowercase)
        }
        return switch name.count {
        case 2: matches("te") ? .te : .other
        case 3: matches("via") ? .via : .other
        case 4: matches("host") ? .host : matches("vary") ? .vary : .other
        case 6: recogniseSix(bytes, name.start)
        case 7: matches("trailer") ? .trailer : matches("upgrade") ? .upgrade : .other
        case 9: matches("forwarded") ? .forwarded : .other
        case 10: recogniseTen(bytes, name.start)
        case 12: matches("content-type") ? .contentType : .other
        case 13: recogniseThirteen(bytes, name.start)
        case 14: recogniseFourteen(bytes, name.start)
        case 15...17: recogniseLong(bytes, name)
        case 18: matches("proxy-authenticate") ? .proxyAuthenticate : .other
        case 19: matches("proxy-authorization") ? .proxyAuthorization : .other
        case 25: matches("proxy-authentication-info") ? .proxyAuthenticationInfo : .other
        default: .other
        }
    }

    @inline(__always)
    private static func recogniseSix(_ bytes: Span<UInt8>, _ start: Int) -> FieldID {
        if bytes.matchesIgnoringCase(at: start, "accept") { return .accept }
        if bytes.matchesIgnoringCase(at: start, "cookie") { return .cookie }
        if bytes.matchesIgnoringCase(at: start, "origin") { return .origin }
        return bytes.matchesIgnoringCase(at: start, "expect") ? .expect : .other
    }

    @inline(__always)
    private static func recogniseTen(_ bytes: Span<UInt8>, _ start: Int) -> FieldID {
        if bytes.matchesIgnoringCase(at: start, "connection") { return .connection }
        if bytes.matchesIgnoringCase(at: start, "set-cookie") { return .setCookie }
        return bytes.matchesIgnoringCase(at: start, "keep-alive") ? .keepAlive : .other
    }

    @inline(__always)
    private static func recogniseThirteen(_ bytes: Span<UInt8>, _ start: Int) -> FieldID {
        if bytes.matchesIgnoringCase(at: start, "cache-control") { return .cacheControl }
        return bytes.matchesIgnoringCase(at: start, "authorization") ? .authorization : .other
    }

    @inline(__always)
    private static func recogniseFourteen(_ bytes: Span<UInt8>, _ start: Int) -> FieldID {
        if bytes.matchesIgnoringCase(at: start, "content-length") { return .contentLength }
        if bytes.matchesIgnoringCase(at: start, "sec-fetch-site") { return .secFetchSite }
        if bytes.matchesIgnoringCase(at: start, "sec-fetch-dest") { return .secFetchDest }
        return bytes.matchesIgnoringCase(at: start, "http2-settings") ? .http2Settings : .other
    }

    private static func recogniseLong(_ bytes: Span<UInt8>, _ name: ByteRange) -> FieldID {
        func matches(_ lowercase: StaticString) -> Bool {
            bytes.matchesIgnoringCase(at: name.start, lowercase)
        }
        return switch name.count {
        case 15:
            matches("accept-encoding")
                ? .acceptEncoding : matches("x-forwarded-for") ? .xForwardedFor : .other
        case 16:
            matches("content-encoding")
                ? .contentEncoding
                : matches("x-forwarded-host")
                    ? .xForwardedHost : matches("proxy-connection") ? .proxyConnection : .other
        case 17:
            matches("transfer-encoding")
                ? .transferEncoding : matches("x-forwarded-proto") ? .xForwardedProto : .other
        default: .other
        }
    }
}
