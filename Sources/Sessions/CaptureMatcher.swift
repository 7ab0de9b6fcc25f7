internal import HTTPModel
internal import Settings

/// A capture rule, ready for comparing.
struct CaptureMatcher: Sendable {
    /// Of a header rule: the field.
    var field: FieldNameMatcher?
    /// Of a cookie rule: the name.
    var cookie: [UInt8]?
    /// Of a cookie rule: whether the client gets it all the same.
    var keepsCookie = false
    /// Of a JSON rule: the requests.
    var pattern: RequestPattern?
    /// Of a JSON rule: the place in the content.
    var pointer: String?
    /// Of a JSON rule: whether the client gets the content without the value.
    var redacts = false

    init(_ rule: CaptureRule) {
        switch rule {
        case .header(let name): field = FieldNameMatcher(Array(name.utf8))
        case .cookie(let name, let keep):
            cookie = Array(name.utf8)
            keepsCookie = keep
        case .json(let text, let on, let redact):
            pointer = text
            pattern = on
            redacts = redact
        }
    }
}

extension StaleSettings.Pages {
    /// The requests for the page that navigations are sent to.
    var target: RequestPattern? {
        guard case .redirect(let place) = self else { return nil }
        let path = Array(place.utf8.prefix { $0 != 0x3F })
        return RequestPattern(method: nil, path: path, isPrefix: false)
    }
}
