internal import EventLoop
internal import Exchange
internal import HTTP1
internal import HTTPModel
internal import Memory

/// Trailers: the end of chunked content that has some. Few messages come here.
extension Worker {
    /// Keeps what `Connection` says in `requestHead`, whose content is chunked.
    mutating func noteRequestNominations(_ exchange: SlabToken) {
        let token = exchanges[exchange].downstream
        exchanges[exchange].requestNominations = TrailerRewriter.nominations(
            requestHead.fields,
            in: downstreams[token].wire.input
        )
    }

    /// Keeps what `Connection` says in `responseHead`, whose content is chunked.
    mutating func noteResponseNominations(_ exchange: SlabToken) {
        let connection = exchanges[exchange].upstream
        exchanges[exchange].responseNominations = TrailerRewriter.nominations(
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
            nominated: exchanges[exchange].requestNominations ?? [],
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
                nominated: exchanges[exchange].responseNominations ?? [],
                rules: rules,
                into: &downstreams[token].wire.output
            )
            ContentEncoder.endTrailers(into: &downstreams[token].wire.output)
        }
        upstreams[connection].wire.input.consume(count)
        return downstreams[token].wire.flush()
    }
}
