import TLS
import Testing

struct SecureRandomTests {
    @Test("as many bytes as asked for", arguments: [0, 1, 15, 16, 17, 4096])
    func count(_ count: Int) throws {
        #expect(try SecureRandom.bytes(count).count == count)
    }

    @Test("no two are alike")
    func unalike() throws {
        var blocks: Set<[UInt8]> = []
        var words: Set<UInt64> = []
        for _ in 0..<1000 {
            blocks.insert(try SecureRandom.bytes(16))
            words.insert(try SecureRandom.word())
        }
        #expect(blocks.count == 1000)
        #expect(words.count == 1000)
    }

    @Test("every bit of a word is sometimes set and sometimes not")
    func bits() throws {
        var ever: UInt64 = 0
        var always = UInt64.max
        for _ in 0..<100 {
            let word = try SecureRandom.word()
            ever |= word
            always &= word
        }
        #expect(ever == .max)
        #expect(always == 0)
    }
}
