public import HTTPModel
public import Memory

/// What the page `session` says of a session that lives.
public struct SessionState: Equatable, Sendable {
    /// Its instance; empty where the backend tells none.
    public var instanceID: [UInt8]
    /// Since when that is known, as RFC 3339 writes it.
    public var since: String?
    /// Whether Lychgate knows it; else only the backend can.
    public var isKnown: Bool

    /// A state from its parts.
    public init(instanceID: [UInt8], since: String?, isKnown: Bool) {
        self.instanceID = instanceID
        self.since = since
        self.isKnown = isKnown
    }
}

// Lychgate's own pages (contract 5).
extension AnswerWriter {
    private static let guardTag: [UInt8] = {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in PackageResources.guard_js { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Array("\"\(String(hash, radix: 16))\"".utf8)
    }()

    /// Whether a client has `guard.js` as it is (RFC 9110 §13.1.2).
    public static func hasGuard(
        _ head: borrowing RequestHead,
        in input: borrowing Buffer
    ) -> Bool {
        guard let value = head.value(of: "if-none-match", in: input) else { return false }
        return value == [0x2A] || value.firstRange(of: guardTag) != nil
    }

    /// Appends what an answer's content is, and who may keep it.
    func appendKind(of answer: Answer, _ status: UInt16, into out: inout Buffer) {
        switch answer {
        case .guardModule(let isKnown):
            if !isKnown { out.append("Content-Type: text/javascript; charset=utf-8\r\n") }
            out.append("X-Content-Type-Options: nosniff\r\nCache-Control: no-cache\r\nETag: ")
            out.append(Self.guardTag)
            out.append("\r\n")
        case .eventStream:
            out.append("Content-Type: text/event-stream\r\nCache-Control: no-store\r\n")
            // Proxies in front are not to collect it.
            out.append("X-Accel-Buffering: no\r\n")
        default:
            if hasContent(answer, status) { out.append("Content-Type: application/json\r\n") }
            out.append("Cache-Control: no-store\r\n")
        }
    }

    /// The content of an answer of these pages, or nil.
    func pageContent(of answer: Answer) -> [UInt8]? {
        switch answer {
        case .guardModule(isKnown: false): return PackageResources.guard_js
        case .sessionForgotten: return Array(#"{"valid":false}"#.utf8)
        case .notFound: return Array(#"{"reason":"not-found","message":"No such page"}"#.utf8)
        case .methodNotAllowed:
            return Array(
                #"{"reason":"method-not-allowed","message":"No such method here"}"#.utf8
            )
        case .noSession(let instanceID):
            return Self.object(
                #""valid":false,"reason":"NO_SESSION_ID","message":"No session ID provided""#,
                instanceID
            )
        case .sessionState(let state):
            return Self.object(
                #""valid":true"# + (state.isKnown ? "" : #","known":false"#),
                state.instanceID,
                state.since.map { #","since":"\#($0)""# } ?? ""
            )
        default: return nil
        }
    }

    private static func object(
        _ start: String,
        _ instanceID: [UInt8],
        _ end: String = ""
    ) -> [UInt8] {
        let id = jsonString(String(decoding: instanceID, as: UTF8.self))
        return Array(
            ("{" + start + (instanceID.isEmpty ? "" : ",\"instanceId\":\(id)") + end + "}").utf8
        )
    }
}

extension RequestHead {
    /// The value of the first field of that name, which is in lower case.
    public func value(of name: StaticString, in input: borrowing Buffer) -> [UInt8]? {
        let bytes = input.bytes
        for index in 0..<fields.count where equalsIgnoringCase(bytes, fields[index].name, name) {
            let value = fields[index].value
            return (value.start..<value.end).map { bytes[$0] }
        }
        return nil
    }
}
