internal import HTTP1
internal import HTTPModel
internal import Instances
internal import Memory

/// The identity question on one connection, while its answer comes in (contract 3.1, 3.2).
///
/// The whole answer is read before it is parsed, whatever its status; redirects are not followed.
struct IdentityAsk: Sendable {
    private static let interimsMax = 16

    /// What reading came to.
    enum Progress: Equatable {
        case incomplete
        /// The whole answer is in; whether the connection can carry a request now.
        case complete(status: UInt16, persists: Bool)
        case failed(IdentityReport)
    }

    private enum State {
        case head
        case content(ContentDecoder, status: UInt16, isPersistent: Bool)
    }

    private var state = State.head
    private var interimCount = 0
    /// The content that has come in.
    private(set) var content: [UInt8] = []
    /// What the sources look at of its head.
    private(set) var fields: [IdentityReader.Field] = []
    /// What the first of two questions on this connection came to, at first contact.
    var firstReport: IdentityReport?

    /// Whether a part of the answer has come: who sends that is there, whatever comes of the rest.
    var hasBegun: Bool {
        if case .content = state { true } else { interimCount > 0 }
    }

    /// Begins anew, for another question.
    mutating func restart() {
        state = .head
        interimCount = 0
        content = []
        fields = []
    }

    /// Takes what waits in `input`; `ended` says that nothing more comes.
    mutating func take(
        _ input: inout Buffer,
        parser: HeadParser,
        head: inout ResponseHead,
        reader: IdentityReader,
        ended: Bool
    ) -> Progress {
        while true {
            switch state {
            case .head:
                switch parser.parseResponse(input, to: .get, into: &head) {
                case .incomplete: return ended ? .failed(.failed(.dropped)) : .incomplete
                case .refused: return .failed(.failed(.malformed))
                case .complete:
                    fields = head.isInterim ? [] : reader.fields(of: head, in: input)
                    input.consume(head.byteCount)
                    if head.isInterim {
                        interimCount += 1
                        guard interimCount <= Self.interimsMax else {
                            return .failed(.failed(.malformed))
                        }
                        continue
                    }
                    guard head.status != 101 else { return .failed(.failed(.malformed)) }
                    state = .content(
                        ContentDecoder(head.framing),
                        status: head.status,
                        isPersistent: head.isPersistent
                    )
                }
            case .content(var decoder, let status, let isPersistent):
                let progress = takeContent(&input, &decoder, reader.contentBytesMax)
                state = .content(decoder, status: status, isPersistent: isPersistent)
                switch progress {
                case .incomplete where ended:
                    guard decoder.endOfInput() == .complete else {
                        return .failed(.failed(.dropped))
                    }
                    return .complete(status: status, persists: false)
                case .incomplete: return .incomplete
                case .complete:
                    // Bytes behind the answer belong to no request: do not use the connection.
                    let persists = isPersistent && !ended && input.isEmpty
                    return .complete(status: status, persists: persists)
                case .failed: return progress
                }
            }
        }
    }

    private mutating func takeContent(
        _ input: inout Buffer,
        _ decoder: inout ContentDecoder,
        _ contentBytesMax: Int
    ) -> Progress {
        while true {
            switch decoder.next(input, from: 0) {
            case .content(let skip, let count):
                guard content.count + count <= contentBytesMax else {
                    return .failed(.none(.tooLarge))
                }
                content.append(contentsOf: input.copy(from: skip, count: count))
                decoder.took(count)
                input.consume(skip + count)
            case .incomplete(let skip):
                input.consume(skip)
                return .incomplete
            case .finished(let skip, let trailers):
                input.consume(skip + trailers)
                return .complete(status: 0, persists: true)
            case .failed: return .failed(.failed(.malformed))
            }
        }
    }
}
