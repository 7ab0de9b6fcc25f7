// What libFuzzer calls for the target "connection"; `run.sh` builds it.

/// Takes one input, a conversation.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe array(start, count)
    guard let first = input.first else { return 0 }
    fuzzConnection(Array(input.dropFirst()), choice: first)
    return 0
}
