internal import Foundation

/// An answer as it came over the wire.
public struct HTTPResponse: Sendable {
    /// A field line; the value without the white space around it.
    public struct Field: Sendable, Equatable {
        /// As it was sent.
        public var name: String
        /// Without the white space around it.
        public var value: String
    }

    /// For example `HTTP/1.1`.
    public var version = ""
    /// The status code.
    public var status = 0
    /// All field lines in order.
    public var fields: [Field] = []
    /// The content, without its framing.
    public var body: [UInt8] = []
    /// The lines behind chunked content.
    public var trailers: [String] = []

    /// The content as text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The first value of a field.
    public subscript(name: String) -> String? { values(name).first }

    /// Every value of a field.
    public func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    private var object: [String: Any] {
        let value = try? JSONSerialization.jsonObject(with: Data(body))
        return value as? [String: Any] ?? [:]
    }

    /// A member of the JSON object in the content.
    public func string(_ name: String) -> String? { object[name] as? String }

    /// A member of the JSON object in the content.
    public func number(_ name: String) -> Int? { object[name] as? Int }

    /// A member of the JSON object in the content.
    public func strings(_ name: String) -> [String] { object[name] as? [String] ?? [] }
}

/// What can become of a connection other than a whole answer.
public enum HTTPFailure: Error, Equatable {
    /// Nothing listens there.
    case refused
    /// It ended before the first byte of an answer.
    case closed
    /// It ended within an answer; what had come of its content.
    case cut(String)
    /// Nothing came for too long.
    case timedOut
    /// What came was no answer.
    case malformed(String)
}
