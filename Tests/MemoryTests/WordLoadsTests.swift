import Memory
import Testing

struct WordLoadsTests {
    private let bytes = Array("abcdefghIJKLMNOPq".utf8)

    @Test("eight and sixteen bytes at once, and none beyond the end")
    func words() {
        let span = bytes.span
        #expect(span.word(at: 0) == UInt64(word: "abcdefgh"))
        #expect(span.word(at: 9) == UInt64(word: "JKLMNOPq"))
        let pair = span.twoWords(at: 1)
        #expect(pair?.first == UInt64(word: "bcdefghI"))
        #expect(pair?.second == UInt64(word: "JKLMNOPq"))
        for offset in [10, 17, 18, -1, Int.max, Int.min] {
            #expect(span.word(at: offset) == nil)
            #expect(span.twoWords(at: offset) == nil)
        }
        #expect(span.twoWords(at: 2) == nil)
        let seven = Array(bytes[..<7])
        let short = seven.span
        #expect(short.word(at: 0) == nil)
    }

    @Test("comparison with constants of any length")
    func matches() {
        let span = bytes.span
        #expect(span.matches(at: 0, "abcdefghIJKLMNOPq") == true)
        #expect(span.matches(at: 1, "bcdefghIJ") == true)
        #expect(span.matches(at: 17, "") == true)
        #expect(span.matches(at: 1, "bcdefghIJKLMNOPqr") == false)
        #expect(span.matches(at: 0, "abcdefghi") == false)
        #expect(span.matches(at: -1, "a") == false)
        #expect(span.matches(at: 17, "a") == false)
        #expect(span.matches(at: .max, "a") == false)
        #expect(span.matchesIgnoringCase(at: 6, "ghijklmnopq") == true)
        #expect(span.matchesIgnoringCase(at: 6, "ghijklmnopr") == false)
    }

    @Test("only ASCII capitals are made small, whatever stands beside them")
    func lowercase() {
        for byte in UInt8.min ... .max {
            let expected = (0x41...0x5A).contains(byte) ? byte + 32 : byte
            #expect(byte.lowercasedASCII == expected)
            for other: UInt8 in [0x00, 0x41, 0x80, 0xFF] {
                let word = UInt64(other) << 16 | UInt64(byte) << 8 | UInt64(other)
                let small = UInt64(other.lowercasedASCII)
                #expect(word.lowercasedASCII == small << 16 | UInt64(expected) << 8 | small)
            }
        }
    }
}
