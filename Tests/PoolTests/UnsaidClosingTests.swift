import Instances
import Pool
import Testing
import Time

@Suite("backends that close without a word")
struct UnsaidClosingTests {
    private let one = InstanceNumber(rawValue: 1)
    private let two = InstanceNumber(rawValue: 2)

    private func at(_ milliseconds: Int64) -> MonotonicTime {
        .zero + .milliseconds(milliseconds)
    }

    /// Opened, asked and lost, each ten milliseconds after the other.
    private func lose(
        _ closing: inout UnsaidClosing,
        _ instance: InstanceNumber,
        openedAt: Int64
    ) -> Bool {
        closing.lost(
            instance,
            openedAt: at(openedAt),
            identifiedAt: at(openedAt + 10),
            now: at(openedAt + 20)
        )
    }

    @Test("3.2 one opened after a loss, of the same instance, and lost as well: it closes each")
    func closes() {
        var closing = UnsaidClosing()
        #expect(!lose(&closing, one, openedAt: 100))
        #expect(!closing.isSuspected(now: at(120)))
        #expect(lose(&closing, one, openedAt: 121))
        #expect(closing.isSuspected(now: at(30_140)))
        #expect(!closing.isSuspected(now: at(30_141)))
    }

    @Test("3.2 connections that a dying process takes with it say nothing, whenever it is noticed")
    func dies() {
        var closing = UnsaidClosing()
        // All were open when it died; of some its answers are read after the first loss.
        for noticed in 0..<10 as Range<Int64> {
            let isNews = closing.lost(
                one,
                openedAt: at(100 + noticed),
                identifiedAt: at(200 + 20 * noticed),
                now: at(210 + 20 * noticed)
            )
            #expect(!isNews)
        }
        #expect(!lose(&closing, two, openedAt: 500), "another one has died")
        #expect(!closing.isSuspected(now: at(600)))
    }

    @Test("3.2 what has kept a connection once is not suspected, as long as it lives")
    func proven() {
        var closing = UnsaidClosing()
        closing.persisted(nil)
        closing.persisted(one)
        closing.persisted(two)
        closing.persisted(two)
        #expect(closing.isProven(one) && closing.isProven(two))
        #expect(!lose(&closing, one, openedAt: 100) && !lose(&closing, one, openedAt: 200))
        closing.keep(LiveInstances(current: two, epoch: 2))
        #expect(!closing.isProven(one) && closing.isProven(two))
        #expect(!lose(&closing, one, openedAt: 300) && lose(&closing, one, openedAt: 400))
    }

    @Test("3.2 a connection that was used for a while may end")
    func late() {
        var closing = UnsaidClosing()
        for start in [0, 2_000, 4_000] as [Int64] {
            let isNews = closing.lost(
                one,
                openedAt: at(start),
                identifiedAt: at(start),
                now: at(start + 1_000)
            )
            #expect(!isNews)
        }
        #expect(!closing.isSuspected(now: at(5_001)))
    }
}
