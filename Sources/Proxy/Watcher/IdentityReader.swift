public import Instances
internal import JSON
public import Settings

/// Finds the instance ID in an identity answer (contract 3.1), the watcher's and the workers'.
///
/// The status does not matter: a backend that answers 500 with its ID is that instance.
public struct IdentityReader: Sendable {
    /// Content of an identity answer that is read; with more, it counts as having no ID.
    public static let bodyBytesMax = 64 * 1024

    private let pointers: [JSONPointer]

    /// A reader for the sources in their order; a pointer that is none finds nothing.
    public init(_ sources: [IdentitySource]) {
        pointers = sources.compactMap { source in
            switch source {
            case .json(let pointer): JSONPointer(pointer)
            }
        }
    }

    /// What the whole content of an answer reports.
    ///
    /// The first source that yields a value counts; an empty string is no value.
    public func report(_ body: Span<UInt8>) -> IdentityReport {
        guard body.count <= Self.bodyBytesMax else { return .none(.tooLarge) }
        do throws(JSONError) {
            let document = try JSONDocument(body)
            for pointer in pointers {
                if let value = document.value(at: pointer), !value.isEmpty {
                    return .read(value)
                }
            }
            return .none(.absent)
        } catch {
            return .none(.malformed)
        }
    }

    /// What the whole content of an answer reports.
    public func report(_ body: [UInt8]) -> IdentityReport {
        report(body.span)
    }
}
