import EventLoop
import Foundation
import Linux
import Testing
import Time

struct MailboxTests {
    @Test("messages of many threads all arrive, those of each in order, and wake the reader")
    func threads() throws {
        let mailbox = try Mailbox<Int>()
        let senders = 4
        let each = 5_000
        var poller = try Poller()
        try poller.watchReadable(mailbox.number, PollToken(kind: 3, index: 0, generation: 0))
        for sender in 0..<senders {
            Thread.detachNewThread {
                for number in 0..<each { mailbox.send(sender * each + number) }
            }
        }
        var received: [Int] = []
        while received.count < senders * each {
            let count = poller.wait(timeout: .seconds(10))
            #expect(count == 1, "nothing more came in ten seconds")
            if count != 1 { return }
            received += mailbox.drain()
        }
        for sender in 0..<senders {
            let own = received.filter { $0 / each == sender }
            #expect(own == Array(sender * each..<(sender + 1) * each))
        }
    }

    @Test("a full mailbox says so, and an empty one does not wake")
    func capacity() throws {
        let mailbox = try Mailbox<Int>(capacity: 2)
        #expect(mailbox.send(1))
        #expect(mailbox.send(2))
        #expect(!mailbox.send(3))
        #expect(mailbox.drain() == [1, 2])
        var poller = try Poller()
        try poller.watchReadable(mailbox.number, PollToken(kind: 3, index: 0, generation: 0))
        #expect((poller.wait(timeout: .zero) == 0) as Bool)
        #expect(mailbox.send(4))
        #expect((poller.wait(timeout: .zero) == 1) as Bool)
    }
}
