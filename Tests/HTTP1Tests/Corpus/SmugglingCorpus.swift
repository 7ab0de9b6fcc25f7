import HTTP1
import HTTPModel

/// Requests that two recipients could end at two places: the known ways to smuggle.
enum SmugglingCorpus {
    static let all = lengths + codings + nominations

    static let lengths: [HeadCase] = [
        .post(
            "CL.TE",
            "Content-Length: 6\r\nTransfer-Encoding: chunked",
            .bad(.bothLengths)
        ),
        .post(
            "TE.CL",
            "Transfer-Encoding: chunked\r\nContent-Length: 4",
            .bad(.bothLengths)
        ),
        .post(
            "CL.TE with a length of zero",
            "Content-Length: 0\r\nTransfer-Encoding: chunked",
            .bad(.bothLengths)
        ),
        .post(
            "CL.TE with another coding",
            "Content-Length: 6\r\nTransfer-Encoding: identity",
            .bad(.bothLengths)
        ),
        .post("CL.CL", "Content-Length: 5\r\nContent-Length: 6", .bad(.repeatedContentLength)),
        .post(
            "CL.CL equal",
            "Content-Length: 5\r\nContent-Length: 5",
            .bad(.repeatedContentLength)
        ),
        .post("CL list", "Content-Length: 5, 6", .bad(.badContentLength)),
        .post("CL list of equals", "Content-Length: 5, 5", .bad(.badContentLength)),
        .post("CL with a plus", "Content-Length: +5", .bad(.badContentLength)),
        .post("CL with a minus", "Content-Length: -5", .bad(.badContentLength)),
        .post("CL in hexadecimal", "Content-Length: 0x5", .bad(.badContentLength)),
        .post("CL with hexadecimal digits", "Content-Length: 1f", .bad(.badContentLength)),
        .post("CL with a fraction", "Content-Length: 5.0", .bad(.badContentLength)),
        .post("CL with an exponent", "Content-Length: 1e2", .bad(.badContentLength)),
        .post("CL with an underscore", "Content-Length: 1_0", .bad(.badContentLength)),
        .post("CL with a blank within", "Content-Length: 5 0", .bad(.badContentLength)),
        .post("CL in quotes", "Content-Length: \"5\"", .bad(.badContentLength)),
        .post("CL with a comma behind", "Content-Length: 5,", .bad(.badContentLength)),
        .post("CL with a semicolon", "Content-Length: 5;a", .bad(.badContentLength)),
        .post("CL of nothing", "Content-Length:", .bad(.badContentLength)),
        .post("CL of a word", "Content-Length: chunked", .bad(.badContentLength)),
        .post("CL in other digits", "Content-Length: \u{D9}\u{A5}", .bad(.badContentLength)),
        .post("CL of 2^63", "Content-Length: 9223372036854775808", .bad(.badContentLength)),
        .post("CL of 2^64 + 5", "Content-Length: 18446744073709551621", .bad(.badContentLength)),
        .post(
            "CL of 40 digits",
            "Content-Length: 1000000000000000000000000000000000000005",
            .bad(.badContentLength)
        ),
        .post("CL with NUL behind", "Content-Length: 5\u{0}", .bad(.badFieldValue)),
        .post("CL with a vertical tab before", "Content-Length:\u{B}5", .bad(.badFieldValue)),
        .post("CL with a space before the colon", "Content-Length : 5", .bad(.spaceBeforeColon)),
        .post("CL folded", "Content-Length:\r\n 5", .bad(.foldedLine)),
        .post("CL hidden behind a bare CR", "X: y\rContent-Length: 5", .bad(.bareCarriageReturn)),
        .post("CL hidden behind a bare LF", "X: y\nContent-Length: 5", .bad(.bareLineFeed)),
        .post(
            "GPOST: prefix of the next request",
            "Content-Length: 5\r\nContent-Length: 5\r\nX: G",
            .bad(.repeatedContentLength)
        ),
    ]

    static let codings: [HeadCase] = [
        .post(
            "TE.TE",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow",
            .bad(.badTransferEncoding)
        ),
        .post(
            "TE.TE the other way",
            "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
            .refused(501, .unknownTransferCoding)
        ),
        .post(
            "TE twice chunked",
            "Transfer-Encoding: chunked, chunked",
            .bad(.badTransferEncoding)
        ),
        .post(
            "TE twice chunked on two lines",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            .bad(.badTransferEncoding)
        ),
        .post(
            "TE chunked not last",
            "Transfer-Encoding: chunked, gzip",
            .bad(.badTransferEncoding)
        ),
        .post(
            "TE chunked, identity",
            "Transfer-Encoding: chunked, identity",
            .bad(.badTransferEncoding)
        ),
        .post("TE identity", "Transfer-Encoding: identity", .bad(.badTransferEncoding)),
        .post("TE gzip alone", "Transfer-Encoding: gzip", .bad(.badTransferEncoding)),
        .post(
            "TE gzip, chunked",
            "Transfer-Encoding: gzip, chunked",
            .refused(501, .unknownTransferCoding)
        ),
        .post(
            "TE with a parameter, chunked",
            "Transfer-Encoding: a;b=\"c,d\", chunked",
            .refused(501, .unknownTransferCoding)
        ),
        .post("TE of nothing", "Transfer-Encoding:", .bad(.badTransferEncoding)),
        .post("TE of a comma", "Transfer-Encoding: ,", .bad(.badTransferEncoding)),
        .post(
            "TE with an empty element before",
            "Transfer-Encoding: , chunked",
            .bad(.badTransferEncoding)
        ),
        .post(
            "TE with an empty element behind",
            "Transfer-Encoding: chunked,",
            .bad(.badTransferEncoding)
        ),
        .post("TE xchunked", "Transfer-Encoding: xchunked", .bad(.badTransferEncoding)),
        .post("TE chunkedx", "Transfer-Encoding: chunkedx", .bad(.badTransferEncoding)),
        .post("TE chunke", "Transfer-Encoding: chunke", .bad(.badTransferEncoding)),
        .post(
            "TE chunked with a parameter",
            "Transfer-Encoding: chunked;a=b",
            .bad(.badTransferEncoding)
        ),
        .post(
            "TE chunked with a semicolon",
            "Transfer-Encoding: chunked;",
            .bad(.badTransferEncoding)
        ),
        .post("TE chunked in quotes", "Transfer-Encoding: \"chunked\"", .bad(.badTransferEncoding)),
        .post(
            "TE chunked in one quote",
            "Transfer-Encoding: 'chunked'",
            .bad(.badTransferEncoding)
        ),
        .post(
            "TE chunked in brackets",
            "Transfer-Encoding: (x) chunked",
            .bad(.badTransferEncoding)
        ),
        .post(
            "TE chunked behind a blank word",
            "Transfer-Encoding: x chunked",
            .bad(.badTransferEncoding)
        ),
        .post(
            "TE chunked with a colon before",
            "Transfer-Encoding: : chunked",
            .bad(.badTransferEncoding)
        ),
        .post(
            "TE chunked with a vertical tab",
            "Transfer-Encoding: \u{B}chunked",
            .bad(.badFieldValue)
        ),
        .post("TE chunked with NUL", "Transfer-Encoding: chunked\u{0}", .bad(.badFieldValue)),
        .post(
            "TE chunked with obs-text",
            "Transfer-Encoding: \u{A0}chunked",
            .bad(.badTransferEncoding)
        ),
        .post("TE folded", "Transfer-Encoding:\r\n chunked", .bad(.foldedLine)),
        .post(
            "TE with a space before the colon",
            "Transfer-Encoding : chunked",
            .bad(.spaceBeforeColon)
        ),
        .post("TE with a tab before the name", "\tTransfer-Encoding: chunked", .bad(.foldedLine)),
        .post(
            "TE hidden behind a bare LF",
            "X: y\nTransfer-Encoding: chunked",
            .bad(.bareLineFeed)
        ),
        .post(
            "TE hidden behind a bare CR",
            "X: y\rTransfer-Encoding: chunked",
            .bad(.bareCarriageReturn)
        ),
        .post(
            "TE with an underscore, which CGI takes for the same",
            "Transfer_Encoding: chunked",
            .bad(.framingAlias)
        ),
        .post(
            "Content-Length with an underscore",
            "Content_Length: 5",
            .bad(.framingAlias)
        ),
        .post(
            "Content-Length with an underscore, in capitals, beside the real one",
            "Content-Length: 5\r\nCONTENT_LENGTH: 6",
            .bad(.framingAlias)
        ),
        .post("a name that only looks alike", "Content_Lengths: 5", .accepted(.none)),
        .post(
            "TE with obs-text in its name",
            "Tr\u{E0}nsfer-Encoding: chunked",
            .bad(.badFieldName)
        ),
        HeadCase(
            "TE in HTTP/1.0",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            .bad(.codingInOldVersion)
        ),
        HeadCase(
            "TE in HTTP/1.0 with keep-alive",
            "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
            .bad(.codingInOldVersion)
        ),
    ]

    static let nominations: [HeadCase] = [
        .post(
            "Connection nominates Content-Length",
            "Connection: Content-Length\r\nContent-Length: 5",
            .accepted(.length(5))
        ),
        .post(
            "Connection nominates Transfer-Encoding",
            "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
            .accepted(.chunked)
        ),
        .lines("Connection nominates Host", "Connection: close, Host", .closes(.none)),
        .lines(
            "Connection nominates too much",
            "Connection: " + (0..<33).map { "n\($0)" }.joined(separator: ","),
            .bad(.tooManyConnectionOptions)
        ),
    ]
}
