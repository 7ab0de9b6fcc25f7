public import HTTPModel
public import Memory
internal import Settings

// What the proxy writes for sessions. All functions append a field value, without name or line end.
extension SessionRules {
    /// Appends the `Set-Cookie` value that gives a client its jar cookie.
    public func appendSetCookie(_ cookie: JarCookie, isSecure: Bool, to out: inout Buffer) {
        appendCookie(value: cookie.text, maxAge: maxAgeSeconds, isSecure: isSecure, to: &out)
    }

    /// Appends the `Set-Cookie` value that takes the jar cookie away.
    public func appendExpiredCookie(isSecure: Bool, to out: inout Buffer) {
        appendCookie(value: [], maxAge: 0, isSecure: isSecure, to: &out)
    }

    private func appendCookie(
        value: [UInt8],
        maxAge: UInt64,
        isSecure: Bool,
        to out: inout Buffer
    ) {
        let prefixed = usesHostPrefix(isSecure: isSecure)
        out.append(prefixed ? hostCookieName : cookieName)
        out.append(0x3D)
        out.append(value)
        out.append("; HttpOnly")
        switch cookieSettings.sameSite {
        case .lax: out.append("; SameSite=Lax")
        case .strict: out.append("; SameSite=Strict")
        case .none: out.append("; SameSite=None")
        }
        out.append("; Path=/; Max-Age=")
        out.append(decimal: maxAge)
        if prefixed { out.append("; Secure") }
    }

    /// Whether a name is that of the session field, or an alias that some servers take for it.
    public func isCarrier(_ bytes: Span<UInt8>, _ name: ByteRange) -> Bool {
        carrier.match(bytes, name) != .none
    }

    /// Appends a `Cookie` value without the jar cookies, with and without the `__Host-` prefix.
    ///
    /// All other bytes stay as they are, odd ones and white space included. False when nothing is
    /// left (nothing is appended): the field is left out.
    public func appendCookieWithoutJar(
        _ value: ByteRange,
        in input: borrowing Buffer,
        to out: inout Buffer
    ) -> Bool {
        appendCookie(value, in: input, to: &out) { bytes, segment in
            jarCookie(bytes, segment) != nil
        }
    }

    /// The same without the segments that `isLeftOut` says.
    @inline(__always)
    func appendCookie(
        _ value: ByteRange,
        in input: borrowing Buffer,
        to out: inout Buffer,
        leavingOut isLeftOut: (Span<UInt8>, ByteRange) -> Bool
    ) -> Bool {
        let before = out.count
        let bytes = input.bytes
        var isAnyLeft = false
        var isFirst = true
        var segments = CookieSegments(value)
        while let segment = segments.next(bytes) {
            if isLeftOut(bytes, segment) { continue }
            let pair = bytes.trimmed(segment.start, segment.end)
            isAnyLeft = isAnyLeft || !pair.isEmpty
            // What comes to stand first loses the space that stood behind a ";".
            let start = isFirst ? pair.start : segment.start
            if !isFirst { out.append(0x3B) }
            out.append(input, from: start, count: segment.end - start)
            isFirst = false
        }
        if !isAnyLeft { out.truncate(to: before) }
        return isAnyLeft
    }
}
