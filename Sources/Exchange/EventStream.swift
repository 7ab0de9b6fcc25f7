public import HTTPModel
public import Memory

/// Streams of server-sent events, which have no end of their own.
public enum EventStream {
    /// Whether a response is one: its media type is `text/event-stream`, and it has no length.
    public static func isContent(
        of head: borrowing ResponseHead,
        in input: borrowing Buffer
    ) -> Bool {
        guard head.framing == .chunked || head.framing == .untilClose else { return false }
        let bytes = input.bytes
        for index in 0..<head.fields.count where head.fields[index].id == .contentType {
            let value = head.fields[index].value
            var end = value.start
            while end < value.end, bytes[end] != 0x3B { end &+= 1 }
            return equalsIgnoringCase(
                bytes,
                bytes.trimmed(value.start, end),
                "text/event-stream"
            )
        }
        return false
    }
}
