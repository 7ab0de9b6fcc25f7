internal import COpenSSL

/// A certificate, owned.
@safe
final class Certificate {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit { unsafe X509_free(pointer) }

    /// The kind of its key: OpenSSL keeps one certificate of each kind side by side.
    var keyKind: Int32 {
        guard let key = unsafe X509_get0_pubkey(pointer) else { return 0 }
        return unsafe EVP_PKEY_get_base_id(key)
    }

    /// The DNS names that it is for, in lower case, wildcards as they are; without any, the common
    /// name of its subject.
    var names: [String] {
        var found: [String] = []
        if let list = unsafe X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) {
            let names = OpaquePointer(list)
            let count = unsafe copenssl_name_count(names)
            for index in 0..<max(0, count) {
                var bytes: UnsafePointer<UInt8>?
                let count = unsafe copenssl_dns_name(names, index, &bytes)
                if count > 0, let bytes = unsafe bytes {
                    let text = unsafe UnsafeBufferPointer(start: bytes, count: Int(count))
                    found.append(unsafe String(decoding: text, as: UTF8.self).lowercased())
                }
            }
            unsafe GENERAL_NAMES_free(names)
        }
        if found.isEmpty, let subject = unsafe X509_get_subject_name(pointer) {
            var text = [CChar](repeating: 0, count: 256)
            let count = unsafe X509_NAME_get_text_by_NID(subject, NID_commonName, &text, 256)
            if count > 0 {
                let bytes = text.prefix(Int(count)).map { UInt8(bitPattern: $0) }
                found.append(String(decoding: bytes, as: UTF8.self).lowercased())
            }
        }
        return found
    }
}

/// A private key, owned.
@safe
final class PrivateKey {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit { unsafe EVP_PKEY_free(pointer) }
}

/// Reads PEM files that are in memory already.
enum Certificates {
    /// More in one file is no chain and no list of authorities that anybody has.
    static let countMax = 4096

    /// All certificates of a file, in their order; at least one.
    static func read(
        _ bytes: [UInt8],
        _ subject: TLSError.Subject
    ) throws(TLSError) -> [Certificate] {
        var found: [Certificate] = []
        var message: String?
        unsafe withMemory(bytes) { memory in
            while found.count < countMax {
                ERR_clear_error()
                guard
                    let read = unsafe PEM_read_bio_X509(
                        memory,
                        nil,
                        { unsafe Certificates.refuse($0, $1, $2, $3) },
                        nil
                    )
                else { break }
                found.append(unsafe Certificate(owning: read))
            }
            let code = ERR_peek_last_error()
            if copenssl_reason(code) != PEM_R_NO_START_LINE {
                message = "a certificate in it cannot be read (\(TLSError.words()))"
            } else if found.isEmpty {
                message = "there is no certificate in it (in PEM: -----BEGIN CERTIFICATE-----)"
            }
            ERR_clear_error()
        }
        if let message { throw TLSError(subject, message) }
        return found
    }

    /// The private key of a file.
    static func readKey(
        _ bytes: [UInt8],
        _ subject: TLSError.Subject
    ) throws(TLSError) -> PrivateKey {
        var key: PrivateKey?
        var isEncrypted = false
        unsafe withMemory(bytes) { memory in
            ERR_clear_error()
            unsafe withUnsafeMutablePointer(to: &isEncrypted) { flag in
                let read = unsafe PEM_read_bio_PrivateKey(
                    memory,
                    nil,
                    { unsafe Certificates.refuse($0, $1, $2, $3) },
                    flag
                )
                if let read = unsafe read {
                    key = unsafe PrivateKey(owning: read)
                }
            }
            ERR_clear_error()
        }
        if let key { return key }
        throw TLSError(
            subject,
            isEncrypted
                ? "it is encrypted with a passphrase, for which nobody can be asked: "
                    + "decrypt it (openssl pkey -in FILE -out NEW)"
                : "there is no private key in it (in PEM: -----BEGIN PRIVATE KEY-----)"
        )
    }

    /// Is asked for a passphrase, notes it where it can, and gives none.
    private static func refuse(
        _: UnsafeMutablePointer<CChar>?,
        _: Int32,
        _: Int32,
        _ flag: UnsafeMutableRawPointer?
    ) -> Int32 {
        if let flag = unsafe flag {
            unsafe flag.assumingMemoryBound(to: Bool.self).pointee = true
        }
        return -1
    }

    @unsafe
    private static func withMemory(_ bytes: [UInt8], _ body: (OpaquePointer) -> Void) {
        unsafe bytes.withUnsafeBytes { content in
            // Safe because the BIO reads the bytes and is freed within the call.
            let size = Int32(clamping: content.count)
            guard let memory = unsafe BIO_new_mem_buf(content.baseAddress, size) else { return }
            unsafe body(memory)
            unsafe BIO_free(memory)
        }
    }

    /// A distinguished name as RFC 2253 writes it; nil if that is not visible ASCII.
    @unsafe
    static func text(of name: OpaquePointer) -> [UInt8]? {
        guard let memory = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free(memory) }
        guard unsafe X509_NAME_print_ex(memory, name, 0, copenssl_rfc2253) >= 0 else { return nil }
        var text = [UInt8](repeating: 0, count: subjectBytesMax + 1)
        let count = unsafe BIO_read(memory, &text, Int32(text.count))
        // An empty one has nothing to read.
        guard count >= 0 else { return [] }
        guard count <= subjectBytesMax else { return nil }
        let subject = Array(text.prefix(Int(count)))
        return subject.allSatisfy { (0x20...0x7E).contains($0) } ? subject : nil
    }

    private static let subjectBytesMax = 4096
}
