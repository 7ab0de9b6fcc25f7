internal import EventLoop
internal import Exchange
internal import Instances
internal import JSON
internal import Memory
internal import Sessions

/// What is done with content that was read whole.
extension Worker {
    /// Adds to a health answer what it lacks: who gave it, and since when that one is known
    /// (contract section 5, `identity.augment`).
    ///
    /// Who that is, the connection tells that it came over.
    mutating func augment(_ exchange: SlabToken) throws(JSONError) {
        let connection = exchanges[exchange].upstream
        guard let instance = upstreams[connection].instance,
            let id = shared.registry.id(of: instance),
            let content = exchanges[exchange].collection?.content
        else { return }
        let members = [
            ("serverInstanceId", AnswerWriter.jsonString(String(decoding: id, as: UTF8.self))),
            ("startedAt", AnswerWriter.jsonString(shared.firstSights.time(of: instance).text)),
        ]
        guard let whole = try JSONExtending.add(members, to: content) else { return }
        exchanges[exchange].collection?.content = whole
        exchanges[exchange].collection?.isRedacted = true
    }
}

extension CaptureWarning {
    /// For the log.
    var text: String {
        switch self {
        case .invalidValue: "the value is not 1 to 4096 visible ASCII characters"
        case .ambiguousField: "the field stands there with different values"
        case .encodedContent: "the content is compressed"
        case .contentTooLong: "the content is longer than 64 KiB"
        }
    }
}
