import Instances
import Testing

@Suite("3.1 what is odd about health answers is said once")
struct HealthRemarksTests {
    private var remarks = HealthRemarks(timeout: .seconds(5))
    private let id = IdentityReport.id([0x61])

    private mutating func note(
        _ report: IdentityReport,
        status: UInt16 = 200,
        took: Duration = .milliseconds(1),
        said: [InstanceChange] = []
    ) -> [HealthRemark] {
        remarks.note(report, status: status, took: took, said: said)
    }

    @Test("3.1 each cause once, until an ID is reported again")
    mutating func causes() {
        #expect(note(.none(.absent), said: [.oldBackend(.absent)]) == [])
        #expect(note(.none(.absent)) == [])
        #expect(note(.none(.malformed)) == [.noIdentity(.malformed)])
        #expect(note(.none(.absent)) == [])
        #expect(note(.none(.malformed)) == [])
        #expect(note(id) == [])
        // The first of a time is said by whoever found it.
        #expect(note(.none(.malformed)) == [])
        #expect(note(.none(.absent)) == [.noIdentity(.absent)])
        #expect(note(id) == [])
        remarks.said([.stoppedReporting(.tooLarge)])
        #expect(note(.none(.tooLarge)) == [])
    }

    @Test("3.3 while it is down each reason once, but for the first, which is said elsewhere")
    mutating func failures() {
        #expect(note(.failed(.refused)) == [])
        #expect(note(.failed(.refused)) == [])
        #expect(note(.failed(.malformed)) == [.noAnswer(.malformed)])
        #expect(note(.failed(.refused)) == [])
        #expect(note(id) == [])
        #expect(note(.failed(.malformed)) == [])
        #expect(note(.failed(.refused)) == [.noAnswer(.refused)])
    }

    @Test("3.2 a status once until there is success; it says nothing of the ID")
    mutating func statuses() {
        #expect(note(id, status: 500) == [.status(500)])
        #expect(note(id, status: 500) == [])
        #expect(note(.none(.absent), status: 302) == [.status(302)])
        #expect(note(id, status: 500) == [])
        #expect(note(id) == [])
        #expect(note(id, status: 500) == [.status(500)])
    }

    @Test("3.3 slow is said once until it is quick again; without an answer it is no matter")
    mutating func slow() {
        #expect(note(id, took: .milliseconds(999)) == [])
        #expect(note(id, took: .seconds(1)) == [.slow(.seconds(1))])
        #expect(note(id, took: .seconds(4)) == [])
        #expect(note(id) == [])
        #expect(note(.failed(.timedOut), took: .seconds(5)) == [])
        #expect(note(id, took: .seconds(2)) == [.slow(.seconds(2))])
        remarks = HealthRemarks(timeout: .milliseconds(100))
        #expect(note(id, took: .milliseconds(50)) == [.slow(.milliseconds(50))])
    }
}
