import HTTP1
import HTTPModel
import Testing

/// Bytes behind a head, and what comes of them.
struct ContentCase: Sendable, CustomTestStringConvertible {
    enum End: Equatable, Sendable {
        /// The message is over, with so many bytes of the next one left.
        case finished(left: Int)
        case unfinished
        case failed(RefusalCause)
    }

    var name: String
    var framing: Framing
    var input: [UInt8]
    var content: [UInt8]
    var end: End
    /// What is given out with the end.
    var trailers: [UInt8]

    var testDescription: String { name }

    init(
        _ name: String,
        _ input: String,
        _ content: String,
        _ end: End = .finished(left: 0),
        trailers: String = "",
        framing: Framing = .chunked
    ) {
        self.name = name
        self.framing = framing
        self.input = bytes(input)
        self.content = bytes(content)
        self.end = end
        self.trailers = bytes(trailers)
    }
}

enum ContentCorpus {
    static let all = plain + sound + malformed + bounded

    static let plain: [ContentCase] = [
        ContentCase("none", "", "", framing: .none),
        ContentCase("none, with the next request", "GET", "", .finished(left: 3), framing: .none),
        ContentCase("length", "hello", "hello", framing: .length(5)),
        ContentCase(
            "length and more",
            "helloGET",
            "hello",
            .finished(left: 3),
            framing: .length(5)
        ),
        ContentCase("length, cut", "hel", "hel", .unfinished, framing: .length(5)),
        ContentCase("length zero", "GET", "", .finished(left: 3), framing: .length(0)),
        ContentCase("greatest length", "hel", "hel", .unfinished, framing: .length(.max)),
        ContentCase(
            "until close",
            "hello\r\n0\r\n\r\n",
            "hello\r\n0\r\n\r\n",
            .unfinished,
            framing: .untilClose
        ),
    ]

    static let sound: [ContentCase] = [
        ContentCase("last chunk alone", "0\r\n\r\n", ""),
        ContentCase("one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello"),
        ContentCase("two chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
        ContentCase("many chunks of one", "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", "abc"),
        ContentCase("capital digits", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ContentCase("small digits", "a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ContentCase("zeros before", "0005\r\nhello\r\n000\r\n\r\n", "hello"),
        ContentCase("sixteen digits", "0000000000000005\r\nhello\r\n0\r\n\r\n", "hello"),
        ContentCase("next request behind", "0\r\n\r\nGET / HTTP/1.1", "", .finished(left: 14)),
        ContentCase("framing as content", "7\r\n0\r\n\r\n0\r\r\n0\r\n\r\n", "0\r\n\r\n0\r"),
        ContentCase("line ends as content", "2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
        ContentCase("extension", "5;a\r\nhello\r\n0\r\n\r\n", "hello"),
        ContentCase(
            "extension with a value",
            "5;a=b;c=\"d;\\\"e\"\r\nhello\r\n0;x=y\r\n\r\n",
            "hello"
        ),
        ContentCase("extension with blanks", "5 \t; a = b \r\nhello\r\n0\r\n\r\n", "hello"),
        ContentCase("trailer", "0\r\nX: y\r\n\r\n", "", trailers: "X: y\r\n\r\n"),
        ContentCase(
            "trailers",
            "1\r\na\r\n0\r\nX: y\r\nX-Z:\r\n\r\nmore",
            "a",
            .finished(left: 4),
            trailers: "X: y\r\nX-Z:\r\n\r\n"
        ),
        ContentCase(
            "trailer with obs-text",
            "0\r\nX: \u{80}\tz\r\n\r\n",
            "",
            trailers: "X: \u{80}\tz\r\n\r\n"
        ),
        ContentCase("cut in a size", "1", "", .unfinished),
        ContentCase("cut in a chunk", "5\r\nhel", "hel", .unfinished),
        ContentCase("cut behind a chunk", "5\r\nhello", "hello", .unfinished),
        ContentCase("cut before the last chunk", "5\r\nhello\r\n", "hello", .unfinished),
        ContentCase("cut in the last chunk", "5\r\nhello\r\n0\r\n", "hello", .unfinished),
        ContentCase("cut in a trailer", "0\r\nX: y\r\n", "", .unfinished),
        ContentCase("no bytes", "", "", .unfinished),
    ]

    static let malformed: [ContentCase] = [
        ContentCase("no size", "\r\n\r\n", "", .failed(.badChunkSize)),
        ContentCase("negative size", "-5\r\nhello\r\n", "", .failed(.badChunkSize)),
        ContentCase("size with a plus", "+5\r\nhello\r\n", "", .failed(.badChunkSize)),
        ContentCase("size with 0x", "0x5\r\nhello\r\n", "", .failed(.badChunkSize)),
        ContentCase("size with an underscore", "1_0\r\n", "", .failed(.badChunkSize)),
        ContentCase("size of a letter", "g\r\n", "", .failed(.badChunkSize)),
        ContentCase("size in other digits", "\u{D9}\u{A5}\r\n", "", .failed(.badChunkSize)),
        ContentCase("blank before a size", " 5\r\nhello\r\n", "", .failed(.badChunkSize)),
        ContentCase("blank behind a size", "5 \r\nhello\r\n", "", .failed(.badChunkSize)),
        ContentCase("blank within a size", "1 0\r\n", "", .failed(.badChunkSize)),
        ContentCase(
            "vertical tab behind a size",
            "5\u{B}\r\nhello\r\n",
            "",
            .failed(.badChunkSize)
        ),
        ContentCase("NUL behind a size", "5\u{0}\r\nhello\r\n", "", .failed(.badChunkSize)),
        ContentCase("comma behind a size", "5,a\r\nhello\r\n", "", .failed(.badChunkSize)),
        ContentCase("size of 2^63", "8000000000000000\r\n", "", .failed(.chunkTooLarge)),
        ContentCase("size of 2^64", "10000000000000000\r\n", "", .failed(.chunkTooLarge)),
        ContentCase(
            "size of 2^64 + 5",
            "10000000000000005\r\nhello\r\n",
            "",
            .failed(.chunkTooLarge)
        ),
        ContentCase(
            "size of seventeen digits",
            "00000000000000005\r\n",
            "",
            .failed(.chunkTooLarge)
        ),
        ContentCase("size ended by a line feed", "5\nhello\r\n", "", .failed(.bareLineFeed)),
        ContentCase(
            "size ended by a carriage return",
            "5\rhello\r\n",
            "",
            .failed(.bareCarriageReturn)
        ),
        ContentCase("extension ended by a line feed", "5;a\nhello\r\n", "", .failed(.bareLineFeed)),
        ContentCase(
            "TERM.EXT: carriage return in an extension",
            "5;a\rb\r\nhello\r\n",
            "",
            .failed(.bareCarriageReturn)
        ),
        ContentCase(
            "NUL in an extension",
            "5;a\u{0}\r\nhello\r\n",
            "",
            .failed(.badChunkExtension)
        ),
        ContentCase(
            "line feed in a quoted extension",
            "5;a=\"\n\"\r\n",
            "",
            .failed(.bareLineFeed)
        ),
        ContentCase(
            "chunk longer than its size",
            "5\r\nhello!\r\n",
            "hello",
            .failed(.badChunkEnd)
        ),
        ContentCase(
            "chunk shorter than its size",
            "5\r\nhel\r\n0\r\n\r\n",
            "hel\r\n",
            .failed(.badChunkEnd)
        ),
        ContentCase(
            "chunk ended by a line feed",
            "5\r\nhello\n0\r\n\r\n",
            "hello",
            .failed(.bareLineFeed)
        ),
        ContentCase(
            "chunk ended by a carriage return",
            "5\r\nhello\r0\r\n\r\n",
            "hello",
            .failed(.bareCarriageReturn)
        ),
        ContentCase("chunk not ended", "5\r\nhello0\r\n\r\n", "hello", .failed(.badChunkEnd)),
        ContentCase("last chunk ended by a line feed", "0\n\n", "", .failed(.bareLineFeed)),
        ContentCase("message ended by a line feed", "0\r\n\n", "", .failed(.bareLineFeed)),
        ContentCase(
            "message ended by a carriage return",
            "0\r\n\rG",
            "",
            .failed(.bareCarriageReturn)
        ),
        ContentCase(
            "request instead of trailers",
            "0\r\nGET / HTTP/1.1\r\n",
            "",
            .failed(.badTrailer)
        ),
        ContentCase("trailer without a name", "0\r\n: y\r\n\r\n", "", .failed(.badTrailer)),
        ContentCase("trailer without a colon", "0\r\nX\r\n\r\n", "", .failed(.badTrailer)),
        ContentCase(
            "trailer with a space before the colon",
            "0\r\nX : y\r\n\r\n",
            "",
            .failed(.badTrailer)
        ),
        ContentCase("trailer folded", "0\r\nX: y\r\n z\r\n\r\n", "", .failed(.badTrailer)),
        ContentCase("trailer with NUL", "0\r\nX: \u{0}\r\n\r\n", "", .failed(.badTrailer)),
        ContentCase("trailer ended by a line feed", "0\r\nX: y\n\r\n", "", .failed(.bareLineFeed)),
        ContentCase(
            "trailer with a carriage return",
            "0\r\nX: y\rz\r\n\r\n",
            "",
            .failed(.bareCarriageReturn)
        ),
    ]

    static let bounded: [ContentCase] = [
        ContentCase("longest extension", "5;" + x(255) + "\r\nhello\r\n0\r\n\r\n", "hello"),
        ContentCase(
            "extension too long",
            "5;" + x(256) + "\r\n",
            "",
            .failed(.chunkExtensionTooLong)
        ),
        ContentCase(
            "too many blanks",
            "5" + x(257, " ") + ";\r\n",
            "",
            .failed(.chunkExtensionTooLong)
        ),
        ContentCase(
            "as many extensions as may be",
            x(64, "1;" + x(255) + "\r\na\r\n") + "0\r\n\r\n",
            x(64, "a")
        ),
        ContentCase(
            "flood of extensions",
            x(64, "1;" + x(255) + "\r\na\r\n") + "1;a\r\n",
            x(64, "a"),
            .failed(.chunkExtensionTooLong)
        ),
        ContentCase(
            "longest trailers",
            "0\r\nX:" + x(8186) + "\r\n\r\n",
            "",
            trailers: "X:" + x(8186) + "\r\n\r\n"
        ),
        ContentCase(
            "trailers too long",
            "0\r\nX:" + x(8187) + "\r\n\r\n",
            "",
            .failed(.trailersTooLarge)
        ),
        ContentCase(
            "as many trailers as may be",
            "0\r\n" + x(100, "X:y\r\n") + "\r\n",
            "",
            trailers: x(100, "X:y\r\n") + "\r\n"
        ),
        ContentCase(
            "too many trailers",
            "0\r\n" + x(101, "X:y\r\n") + "\r\n",
            "",
            .failed(.trailersTooLarge)
        ),
    ]

    private static func x(_ count: Int, _ text: String = "x") -> String {
        String(repeating: text, count: count)
    }
}
