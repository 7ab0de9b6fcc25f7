import HTTP1
import HTTPModel

/// Response heads, sound and malformed.
enum ResponseCorpus {
    static let all = sound + contentless + malformed

    static let sound: [HeadCase] = [
        .ok("length", "Content-Length: 5", .accepted(.length(5))),
        .ok("length of zero", "Content-Length: 0", .accepted(.none)),
        .ok("chunked", "Transfer-Encoding: chunked", .accepted(.chunked)),
        .ok("until close", "X: y", .closes(.untilClose)),
        .ok("close", "Connection: close\r\nContent-Length: 5", .closes(.length(5))),
        .ok("keep-alive", "Connection: keep-alive\r\nContent-Length: 5", .accepted(.length(5))),
        .status("no fields", "200 OK", "", .closes(.untilClose)),
        .status("empty reason", "200 ", "Content-Length: 1\r\n", .accepted(.length(1))),
        .status(
            "no space behind the status",
            "200",
            "Content-Length: 1\r\n",
            .accepted(.length(1))
        ),
        .status(
            "long reason",
            "404 Not Found, and more than that\tit is \u{E9}",
            "",
            .closes(.untilClose)
        ),
        .status("greatest status", "999 X", "Content-Length: 1\r\n", .accepted(.length(1))),
        .status("401", "401 Unauthorized", "Content-Length: 1\r\n", .accepted(.length(1))),
        .status(
            "205 with a length",
            "205 Reset Content",
            "Content-Length: 0\r\n",
            .accepted(.none)
        ),
        HeadCase("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", .closes(.length(1))),
        HeadCase("HTTP/1.0 until close", "HTTP/1.0 200 OK\r\n\r\n", .closes(.untilClose)),
        HeadCase(
            "HTTP/1.0 keep-alive",
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n",
            .accepted(.length(1))
        ),
        HeadCase(
            "HTTP/1.0 keep-alive until close",
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n",
            .closes(.untilClose)
        ),
        HeadCase("half a status line", "HTTP/1.1 20", .incomplete),
        HeadCase("status line alone", "HTTP/1.1 200 OK\r\n", .incomplete),
        HeadCase("no bytes", "", .incomplete),
    ]

    static let contentless: [HeadCase] = [
        .status("100", "100 Continue", "", .accepted(.none)),
        .status("103", "103 Early Hints", "Link: </a>\r\n", .accepted(.none)),
        .status("204", "204 No Content", "", .accepted(.none)),
        .status(
            "204 with a length of zero",
            "204 No Content",
            "Content-Length: 0\r\n",
            .accepted(.none)
        ),
        .status("204 with a length", "204 No Content", "Content-Length: 5\r\n", .closes(.none)),
        .status(
            "204 with chunks",
            "204 No Content",
            "Transfer-Encoding: chunked\r\n",
            .closes(.none)
        ),
        .status("304", "304 Not Modified", "", .accepted(.none)),
        .status("304 with a length", "304 Not Modified", "Content-Length: 5\r\n", .accepted(.none)),
        .status("HEAD", "200 OK", "Content-Length: 5\r\n", .accepted(.none), to: .head),
        .status(
            "HEAD with chunks",
            "200 OK",
            "Transfer-Encoding: chunked\r\n",
            .accepted(.none),
            to: .head
        ),
        .status("HEAD without a length", "200 OK", "", .accepted(.none), to: .head),
        .status("2xx to CONNECT", "200 OK", "", .closes(.none), to: .connect),
        .status(
            "refused CONNECT",
            "403 No",
            "Content-Length: 5\r\n",
            .accepted(.length(5)),
            to: .connect
        ),
    ]

    static let malformed: [HeadCase] = [
        HeadCase("empty line before", "\r\nHTTP/1.1 200 OK\r\n\r\n", .badResponse(.badVersion)),
        HeadCase("no HTTP", "hello\r\n", .badResponse(.badVersion)),
        HeadCase(
            "body of the last response",
            "{\"a\":1}HTTP/1.1 200 OK\r\n\r\n",
            .badResponse(.badVersion)
        ),
        HeadCase("HTTP/2", "HTTP/2 200\r\n\r\n", .badResponse(.versionNotSupported)),
        HeadCase("ICY", "ICY 200 OK\r\n\r\n", .badResponse(.badVersion)),
        HeadCase(
            "two spaces before the status",
            "HTTP/1.1  200 OK\r\n\r\n",
            .badResponse(.badStatus)
        ),
        HeadCase("tab before the status", "HTTP/1.1\t200 OK\r\n\r\n", .badResponse(.badVersion)),
        HeadCase("no status", "HTTP/1.1\r\n\r\n", .badResponse(.badVersion)),
        .status("status of two digits", "20 OK", "", .badResponse(.badStatus)),
        .status("status of four digits", "2000 OK", "", .badResponse(.badStatus)),
        .status("status of letters", "abc OK", "", .badResponse(.badStatus)),
        .status("status below 100", "099 OK", "", .badResponse(.badStatus)),
        .status("negative status", "-10 OK", "", .badResponse(.badStatus)),
        .status("NUL in the reason", "200 O\u{0}K", "", .badResponse(.badStartLine)),
        .status("carriage return in the reason", "200 O\rK", "", .badResponse(.bareCarriageReturn)),
        HeadCase("line feeds alone", "HTTP/1.1 200 OK\n\n", .badResponse(.bareLineFeed)),
        .ok("folded line", "X: y\r\n z", .badResponse(.foldedLine)),
        .ok("space before the colon", "X : y", .badResponse(.spaceBeforeColon)),
        .ok("NUL in a value", "X: \u{0}", .badResponse(.badFieldValue)),
        .ok("carriage return in a value", "X: a\rSet-Cookie: b", .badResponse(.bareCarriageReturn)),
        .ok(
            "both lengths",
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            .badResponse(.bothLengths)
        ),
        .ok(
            "two lengths",
            "Content-Length: 5\r\nContent-Length: 6",
            .badResponse(.repeatedContentLength)
        ),
        .ok("length list", "Content-Length: 5, 5", .badResponse(.badContentLength)),
        .ok("negative length", "Content-Length: -1", .badResponse(.badContentLength)),
        .ok(
            "gzip as transfer coding",
            "Transfer-Encoding: gzip",
            .badResponse(.badTransferEncoding)
        ),
        .ok(
            "gzip, chunked",
            "Transfer-Encoding: gzip, chunked",
            .badResponse(.unknownTransferCoding)
        ),
        .ok(
            "chunked twice",
            "Transfer-Encoding: chunked, chunked",
            .badResponse(.badTransferEncoding)
        ),
        .ok(
            "both lengths to HEAD",
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            .badResponse(.bothLengths),
            to: .head
        ),
        HeadCase(
            "chunks in HTTP/1.0",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            .badResponse(.codingInOldVersion)
        ),
        .status(
            "length of a word in 304",
            "304 X",
            "Content-Length: x\r\n",
            .badResponse(.badContentLength)
        ),
    ]
}
