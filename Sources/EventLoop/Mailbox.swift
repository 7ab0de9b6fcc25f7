public import Linux
public import Memory

/// Messages from any thread to the one that drains it.
///
/// The receiver watches `number`. Sending rings only for the first of a batch, so a flood of
/// messages is one system call. Inlinable, so that it is compiled for each kind of message: some
/// 5,000 instructions less a message.
public final class Mailbox<Message: Sendable>: Sendable {
    @usableFromInline let waiting = Locked<[Message]>([])
    @usableFromInline let wakeup: Wakeup
    @usableFromInline let capacity: Int

    /// A mailbox for at most `capacity` waiting messages.
    public init(capacity: Int = 65536) throws(SystemError) {
        self.capacity = capacity
        wakeup = try Wakeup()
    }

    /// The number to watch for reading.
    public var number: Int32 { wakeup.number }

    /// Puts a message in; false when the mailbox is full.
    @inlinable
    @discardableResult
    public func send(_ message: Message) -> Bool {
        let before = waiting.withLock { messages -> Int in
            if messages.count < capacity {
                messages.append(message)
                return messages.count - 1
            }
            return capacity
        }
        if before == 0 { wakeup.ring() }
        return before < capacity
    }

    /// Takes all messages out.
    @inlinable
    public func drain() -> [Message] {
        wakeup.silence()
        return waiting.withLock { messages in
            let all = messages
            messages = []
            return all
        }
    }
}
