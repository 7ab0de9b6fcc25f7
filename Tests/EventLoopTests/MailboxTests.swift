import Dispatch
import EventLoop
import Linux
import Memory
import Testing

struct MailboxTests {
    @Test("messages come out once, in their order")
    func order() throws {
        let mailbox = try Mailbox<Int>()
        #expect(mailbox.drain() == [])
        for number in 0..<5 { #expect(mailbox.send(number)) }
        #expect(mailbox.drain() == [0, 1, 2, 3, 4])
        #expect(mailbox.drain() == [])
    }

    @Test("a full mailbox says so, and takes again once it is drained")
    func full() throws {
        let mailbox = try Mailbox<Int>(capacity: 2)
        #expect(mailbox.send(1))
        #expect(mailbox.send(2))
        #expect(!mailbox.send(3))
        #expect(mailbox.drain() == [1, 2])
        #expect(mailbox.send(4))
        #expect(mailbox.drain() == [4])
        let none = try Mailbox<Int>(capacity: 0)
        #expect(!none.send(1))
        #expect(none.drain() == [])
    }

    @Test("its number can be read while something waits, and not after")
    func wakeup() throws {
        let mailbox = try Mailbox<Int>()
        var poller = try Poller()
        let token = PollToken(kind: 3, index: 4, generation: 5)
        try poller.watchReadable(mailbox.number, token)
        #expect(poller.wait(timeout: .zero) == 0)
        mailbox.send(1)
        mailbox.send(2)
        #expect(poller.wait(timeout: .zero) == 1)
        #expect(poller.event(at: 0).token == token)
        #expect(mailbox.drain() == [1, 2])
        #expect(poller.wait(timeout: .zero) == 0)
        mailbox.send(3)
        #expect(poller.wait(timeout: .zero) == 1)
    }

    @Test("threads that send at the same time: nothing is lost, doubled, or left without a ring")
    func threads() throws {
        let mailbox = try Mailbox<Int>()
        let counts = (threads: 4, messages: 5000)
        DispatchQueue.global().async {
            DispatchQueue.concurrentPerform(iterations: counts.threads) { thread in
                for number in 0..<counts.messages {
                    mailbox.send(thread * counts.messages + number)
                }
            }
        }
        var poller = try Poller()
        try poller.watchReadable(mailbox.number, PollToken(kind: 0, index: 0, generation: 0))
        var found: [Int] = []
        while found.count < counts.threads * counts.messages {
            guard poller.wait(timeout: .seconds(20)) > 0 else {
                Issue.record("messages wait without a ring: \(found.count) so far")
                return
            }
            found += mailbox.drain()
        }
        #expect(mailbox.drain() == [])
        #expect(Set(found) == Set(0..<counts.threads * counts.messages))
        for thread in 0..<counts.threads {
            let own = found.filter { $0 / counts.messages == thread }
            #expect(own == own.sorted(), "those of one thread keep their order")
        }
    }
}
