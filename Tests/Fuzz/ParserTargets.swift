// What libFuzzer calls for the parsers' targets; `run.sh` builds it.

/// Takes one input: `FUZZ_TARGET` says for which target.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe array(start, count)
    guard let first = input.first else { return 0 }
    fuzzParser(environment("FUZZ_TARGET"), Array(input.dropFirst()), choice: first)
    return 0
}
