internal import HTTPModel
public import Instances
internal import JSON
internal import Memory
public import Settings

/// Finds the instance ID in an identity answer (contract 3.1), the watcher's and the workers'.
///
/// The status does not matter: a backend that answers 500 with its ID is that instance.
public struct IdentityReader: Sendable {
    /// A field of an answer, its name in lower case.
    public typealias Field = (name: [UInt8], value: [UInt8])

    private enum Source {
        case json(JSONPointer)
        case header(name: [UInt8])
        case metric(name: [UInt8])
    }

    private static let contentEncoding = Array("content-encoding".utf8)

    private let sources: [Source]
    /// Content of an answer that is read; with more, it counts as having no ID.
    ///
    /// A page of metrics is often longer than any health answer.
    public let contentBytesMax: Int
    /// The fields that are looked at, by their names in lower case.
    public let wantedFields: [[UInt8]]

    /// A reader for the sources in their order; a pointer that is none finds nothing.
    public init(_ sources: [IdentitySource]) {
        self.sources = sources.compactMap { source in
            switch source {
            case .json(let pointer): JSONPointer(pointer).map { .json($0) }
            case .header(let name): .header(name: name.utf8.map(\.lowercasedASCII))
            case .metric(let name): .metric(name: Array(name.utf8))
            }
        }
        let hasMetric = sources.contains { if case .metric = $0 { true } else { false } }
        contentBytesMax = (hasMetric ? 1024 : 64) * 1024
        let names = self.sources.compactMap { source -> [UInt8]? in
            if case .header(let name) = source { name } else { nil }
        }
        wantedFields = names + [Self.contentEncoding]
    }

    /// What a whole answer reports.
    ///
    /// The first source that yields a value counts; an empty text is no value. If none does, the
    /// first thing that is wrong with the answer is what is reported.
    public func report(_ content: [UInt8], fields: [Field] = []) -> IdentityReport {
        guard content.count <= contentBytesMax else { return .none(.tooLarge) }
        let isEncoded = fields.contains { field in
            field.name == Self.contentEncoding && !field.value.isEmpty
                && field.value.map(\.lowercasedASCII) != Array("identity".utf8)
        }
        var json: JSONValues?
        var flaw = NoIdentityCause.absent
        for source in sources {
            let found: Result<[UInt8], Flaw>
            switch source {
            case .header(let name): found = Self.value(of: name, in: fields)
            case _ where isEncoded: found = .failure(Flaw(cause: .encoded))
            case .metric(let name): found = Self.metric(name, in: content)
            case .json:
                var values = json ?? jsonValues(content)
                found = values.next()
                json = values
            }
            switch found {
            case .success(let value): return .read(value)
            case .failure(let failure) where flaw == .absent: flaw = failure.cause
            case .failure: break
            }
        }
        return .none(flaw)
    }

    private static func value(of name: [UInt8], in fields: [Field]) -> Result<[UInt8], Flaw> {
        let values = fields.filter { $0.name == name && !$0.value.isEmpty }.map(\.value)
        guard let first = values.first else { return .failure(Flaw(cause: .absent)) }
        let isOne = values.allSatisfy { $0 == first }
        return isOne ? .success(first) : .failure(Flaw(cause: .ambiguous))
    }

    private static func metric(_ name: [UInt8], in content: [UInt8]) -> Result<[UInt8], Flaw> {
        switch MetricText.value(of: name.span, in: content.span) {
        case .value(let value): .success(value)
        case .absent: .failure(Flaw(cause: .absent))
        case .malformed: .failure(Flaw(cause: .malformedMetric))
        case .noNumber: .failure(Flaw(cause: .noNumber))
        case .ambiguous: .failure(Flaw(cause: .ambiguous))
        }
    }
}

/// Why a source yields nothing.
private struct Flaw: Error {
    var cause: NoIdentityCause
}

/// What the JSON sources find, in their order.
private struct JSONValues {
    var isMalformed = false
    var values: ArraySlice<[UInt8]?> = []

    mutating func next() -> Result<[UInt8], Flaw> {
        if isMalformed { return .failure(Flaw(cause: .malformed)) }
        guard let found = values.popFirst(), let value = found, !value.isEmpty else {
            return .failure(Flaw(cause: .absent))
        }
        return .success(value)
    }
}

extension IdentityReader {
    /// Reads the content once for all sources that look into it.
    private func jsonValues(_ content: [UInt8]) -> JSONValues {
        var found = JSONValues()
        do throws(JSONError) {
            let document = try JSONDocument(content)
            for case .json(let pointer) in sources {
                found.values.append(document.value(at: pointer))
            }
        } catch {
            found.isMalformed = true
        }
        return found
    }
}

extension IdentityReader {
    /// The fields of a head that are looked at.
    func fields(of head: ResponseHead, in input: borrowing Buffer) -> [Field] {
        var found: [Field] = []
        for index in 0..<head.fields.count {
            let line = head.fields[index]
            for name in wantedFields where equalsIgnoringCase(input.bytes, line.name, name) {
                let value = input.copy(from: line.value.start, count: Int(line.value.count))
                found.append((name, value))
            }
        }
        return found
    }
}
