internal import EventLoop
internal import Exchange
internal import HTTP1
internal import HTTPModel
internal import Memory

/// Trailers: the end of chunked content that has some. Few messages come here.
extension Worker {
    /// Prepares for the chunked content of the request in `requestHead`.
    mutating func beginChunkedRequest(_ exchange: SlabToken) {
        let token = exchanges[exchange].downstream
        downstreams[token].contentBytesLeft = contentBytesMax
        downstreams[token].nominations = TrailerRewriter.nominations(
            requestHead.fields,
            in: downstreams[token].wire.input
        )
    }

    /// Prepares for content that goes on chunked, of the response in `responseHead`.
    mutating func beginChunkedResponse(_ exchange: SlabToken) {
        let connection = exchanges[exchange].upstream
        upstreams[connection].nominations = TrailerRewriter.nominations(
            responseHead.fields,
            in: upstreams[connection].wire.input
        )
    }

    /// Ends the content of a request with `count` bytes of trailers, at the client's cursor.
    mutating func passOnRequestTrailers(_ count: Int, of exchange: SlabToken) {
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        ContentEncoder.beginTrailers(into: &upstreams[connection].wire.output)
        TrailerRewriter.write(
            count,
            bytesOf: downstreams[token].wire.input,
            from: downstreams[token].cursor,
            nominated: downstreams[token].nominations,
            rules: rules,
            into: &upstreams[connection].wire.output
        )
        ContentEncoder.endTrailers(into: &upstreams[connection].wire.output)
        downstreams[token].cursor += count
    }

    /// Ends the content of a response with `count` bytes of trailers, at the front of the input;
    /// false when the client's connection is broken.
    ///
    /// They end here where the content is not chunked any more.
    mutating func passOnResponseTrailers(_ count: Int, of exchange: SlabToken) -> Bool {
        let token = exchanges[exchange].downstream
        let connection = exchanges[exchange].upstream
        if exchanges[exchange].responseFraming == .chunked {
            ContentEncoder.beginTrailers(into: &downstreams[token].wire.output)
            TrailerRewriter.write(
                count,
                bytesOf: upstreams[connection].wire.input,
                from: 0,
                nominated: upstreams[connection].nominations,
                rules: rules,
                into: &downstreams[token].wire.output
            )
            ContentEncoder.endTrailers(into: &downstreams[token].wire.output)
        }
        upstreams[connection].wire.input.consume(count)
        return downstreams[token].wire.flush()
    }
}
