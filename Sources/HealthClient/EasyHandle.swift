internal import CCurl

/// One request of libcurl's, set up once and made again and again, with what it writes to.
@safe
struct EasyHandle: ~Copyable {
    let handle: UnsafeMutableRawPointer
    private let reception: UnsafeMutablePointer<Reception>
    /// The fields of a question after which the connection is kept; nil where there are none.
    private let fields: UnsafeMutablePointer<curl_slist>?
    /// The same, and that the connection is closed.
    private let closingFields: UnsafeMutablePointer<curl_slist>
    /// What an answer begins with.
    private let emptyReception: Reception
    /// Where the name of a certificate is to be found, in libcurl's words.
    private var route: UnsafeMutablePointer<curl_slist>?
    /// What the host's name means, in libcurl's words; nil where libcurl resolves it.
    private var meaning: UnsafeMutablePointer<curl_slist>?

    private init(
        handle: UnsafeMutableRawPointer,
        fields: UnsafeMutablePointer<curl_slist>?,
        closingFields: UnsafeMutablePointer<curl_slist>,
        emptyReception: Reception
    ) {
        unsafe self.handle = handle
        unsafe self.fields = fields
        unsafe self.closingFields = closingFields
        self.emptyReception = emptyReception
        unsafe reception = .allocate(capacity: 1)
        unsafe reception.initialize(to: emptyReception)
    }

    static func make(_ target: HealthTarget) throws(HealthClientError) -> EasyHandle {
        let url = try Self.url(target)
        let lines = try target.fields.map { field throws(HealthClientError) in
            try Self.line(field)
        }
        guard let handle = unsafe curl_easy_init() else {
            throw .library("no memory for a request")
        }
        let fields = unsafe list(lines)
        guard let closingFields = unsafe list(lines + ["Connection: close"]),
            unsafe fields != nil || lines.isEmpty
        else {
            unsafe curl_slist_free_all(fields)
            unsafe curl_easy_cleanup(handle)
            throw .library("no memory for a request")
        }
        var easy = unsafe EasyHandle(
            handle: handle,
            fields: fields,
            closingFields: closingFields,
            emptyReception: Reception(
                bodyBytesMax: target.bodyBytesMax,
                wantedFields: target.wantedFields
            )
        )
        try easy.configure(target, url: url)
        if let tls = target.tls { try easy.configure(tls, target.place) }
        return easy
    }

    /// A field's line, of which nothing can begin another one.
    private static func line(_ field: HealthField) throws(HealthClientError) -> String {
        let isName = !field.name.isEmpty && !field.name.contains { $0 <= 0x20 || $0 >= 0x7F }
        let isValue = !field.value.contains { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }
        guard isName, !field.name.contains(UInt8(ascii: ":")), isValue, !field.value.isEmpty
        else { throw .target("a field has a name and a value without control characters") }
        return String(decoding: field.name + Array(": ".utf8) + field.value, as: UTF8.self)
    }

    /// libcurl's list of these, or nil of none, or without memory.
    private static func list(_ lines: [String]) -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            guard let longer = unsafe curl_slist_append(list, line) else {
                unsafe curl_slist_free_all(list)
                return nil
            }
            unsafe list = longer
        }
        return unsafe list
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        unsafe curl_slist_free_all(fields)
        unsafe curl_slist_free_all(closingFields)
        unsafe curl_slist_free_all(route)
        unsafe curl_slist_free_all(meaning)
        unsafe reception.deinitialize(count: 1)
        unsafe reception.deallocate()
    }

    /// Has the name of a host mean these addresses from the next question on.
    ///
    /// - Precondition: no question is under way.
    mutating func setMeaning(of host: String, port: UInt16, _ addresses: [String]) {
        let texts = addresses.map { $0.contains(":") ? "[\($0)]" : $0 }
        let entry = "\(host):\(port):" + texts.joined(separator: ",")
        guard let list = unsafe curl_slist_append(nil, entry) else { return }
        // Safe because libcurl reads the old list no more once it has the new one.
        _ = unsafe ccurl_set_list(handle, CURLOPT_RESOLVE, list)
        unsafe curl_slist_free_all(meaning)
        unsafe meaning = list
    }

    /// Sets what differs from question to question, and forgets the last answer.
    borrowing func prepare(for connection: HealthConnection) {
        unsafe reception.pointee = emptyReception
        let isNew = connection != .sameAgain
        let isLast = connection != .keptOpen
        // These cannot fail: their options are known, and nothing is copied.
        _ = unsafe ccurl_set_long(handle, CURLOPT_FRESH_CONNECT, isNew ? 1 : 0)
        _ = unsafe ccurl_set_long(handle, CURLOPT_FORBID_REUSE, isLast ? 1 : 0)
        _ = unsafe ccurl_set_list(handle, CURLOPT_HTTPHEADER, isLast ? closingFields : fields)
    }

    /// The answer that has come in, with libcurl's verdict on it.
    borrowing func answer(result: CURLcode, over connection: HealthConnection) -> HealthAnswer {
        var status = 0
        var connectionsMade = 0
        _ = unsafe ccurl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
        _ = unsafe ccurl_get_long(handle, CURLINFO_NUM_CONNECTS, &connectionsMade)
        return HealthAnswer(
            status: UInt16(clamping: status),
            body: unsafe reception.pointee.body,
            fields: unsafe reception.pointee.fields,
            failure: failure(result),
            isSameConnection: connection == .sameAgain && connectionsMade == 0
        )
    }

    private borrowing func failure(_ result: CURLcode) -> HealthFailure? {
        switch result {
        case CURLE_OK: unsafe reception.pointee.isHeadComplete ? nil : .dropped
        case _ where unsafe reception.pointee.isTooLarge: .tooLarge
        case CURLE_FILESIZE_EXCEEDED: .tooLarge
        case CURLE_COULDNT_CONNECT: .refused
        case CURLE_COULDNT_RESOLVE_HOST: .unresolved
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE: .dropped
        // The first is what libcurl calls an answer that could be HTTP/0.9.
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY: .malformed
        default: .other(unsafe String(cString: curl_easy_strerror(result)))
        }
    }

    private borrowing func configure(
        _ target: HealthTarget,
        url: String
    ) throws(HealthClientError) {
        let milliseconds = Int(HealthClient.milliseconds(target.timeout))
        try set(CURLOPT_URL, url)
        try set(CURLOPT_REQUEST_TARGET, target.path)
        if case .unix(let path) = target.place {
            try set(CURLOPT_UNIX_SOCKET_PATH, path)
        }
        try set(CURLOPT_USERAGENT, "lychgate")
        try set(CURLOPT_PROTOCOLS_STR, target.tls == nil ? "http" : "https")
        // An empty name is "none, whatever http_proxy says".
        try set(CURLOPT_PROXY, "")
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_NOSIGNAL, 1)
        // Zero is "no limit" to libcurl.
        try set(CURLOPT_TIMEOUT_MS, max(1, milliseconds))
        try set(CURLOPT_CONNECTTIMEOUT_MS, max(1, milliseconds))
        try set(CURLOPT_MAXFILESIZE, target.bodyBytesMax)
        try set(CURLOPT_BUFFERSIZE, 4096)
        let callbacks = unsafe [
            ccurl_set_function(handle, CURLOPT_WRITEFUNCTION, ReceptionCallback.content),
            ccurl_set_pointer(handle, CURLOPT_WRITEDATA, reception),
            ccurl_set_function(handle, CURLOPT_HEADERFUNCTION, ReceptionCallback.head),
            ccurl_set_pointer(handle, CURLOPT_HEADERDATA, reception),
        ]
        for code in callbacks {
            try Self.check(code)
        }
    }

    private mutating func configure(
        _ tls: HealthTarget.TLS,
        _ place: HealthTarget.Place
    ) throws(HealthClientError) {
        try set(CURLOPT_SSL_VERIFYPEER, tls.verifies ? 1 : 0)
        try set(CURLOPT_SSL_VERIFYHOST, tls.verifies ? 2 : 0)
        if let authorities = tls.authorities { try set(CURLOPT_CAINFO, authorities) }
        if let certificate = tls.certificate { try set(CURLOPT_SSLCERT, certificate) }
        if let key = tls.key { try set(CURLOPT_SSLKEY, key) }
        // From the name in the URL to the place that is meant, whatever the port.
        if tls.serverName != nil, case .host(let host, let port) = place {
            let target = host.contains(":") ? "[\(host)]" : host
            unsafe route = curl_slist_append(nil, "::\(target):\(port)")
            try Self.check(unsafe ccurl_set_list(handle, CURLOPT_CONNECT_TO, route))
        }
    }

    private borrowing func set(_ option: CURLoption, _ value: Int) throws(HealthClientError) {
        try Self.check(unsafe ccurl_set_long(handle, option, value))
    }

    private borrowing func set(_ option: CURLoption, _ value: String) throws(HealthClientError) {
        try Self.check(unsafe ccurl_set_string(handle, option, value))
    }

    private static func check(_ code: CURLcode) throws(HealthClientError) {
        guard code != CURLE_OK else { return }
        throw .library(unsafe String(cString: curl_easy_strerror(code)))
    }

    /// The URL to connect to; the request target goes separately, so that it stays as it is.
    private static func url(_ target: HealthTarget) throws(HealthClientError) -> String {
        let isTarget = target.path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        guard target.path.hasPrefix("/"), isTarget else {
            throw .target(
                "the path must begin with / and have neither spaces nor control characters"
            )
        }
        switch target.place {
        case .unix(let path):
            guard !path.isEmpty, !path.utf8.contains(0), path.utf8.count < 108 else {
                throw .target("the path of a unix socket must have 1 to 107 bytes")
            }
            return "http://localhost/"
        case .host(let place, let port):
            let host = target.tls?.serverName ?? place
            let scheme = target.tls == nil ? "http" : "https"
            let isHost = host.utf8.allSatisfy { byte in
                (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39)
                    || [0x2D, 0x2E, 0x3A, 0x5F].contains(byte)
            }
            guard !host.isEmpty, isHost, port > 0 else {
                throw .target("the host must be a name or an address, the port not 0")
            }
            return host.utf8.contains(0x3A)
                ? "\(scheme)://[\(host)]:\(port)/" : "\(scheme)://\(host):\(port)/"
        }
    }
}
