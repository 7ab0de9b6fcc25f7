import Instances
import Pool
import Time

/// What the model knows of a backend that is down (contract 4.2, `hold`).
extension PoolModel {
    mutating func goDown() {
        isDown = true
        for place in queue.indices where !queue[place].isHeld {
            var wanted = queue[place]
            hold(&wanted)
            queue[place] = wanted
        }
    }

    mutating func hold(_ wanted: inout Waiting) {
        let until = wanted.holdUntil ?? now + .milliseconds(900)
        wanted.deadline = until
        guard wanted.mayBeHeld, queue.count(where: \.isHeld) < heldMax else { return }
        wanted.isHeld = true
        wanted.holdUntil = until
        seen["held", default: 0] += 1
    }

    mutating func comeBack() {
        guard isDown else { return }
        isDown = false
        for place in queue.indices {
            queue[place].isHeld = false
            queue[place].deadline = now + .milliseconds(500)
        }
    }

    mutating func endSide() {
        guard !queue.isEmpty else { return }
        let place = random.below(queue.count)
        let isReleased = pool.releaseHold(ExchangeID(rawValue: queue[place].exchange))
        check(isReleased == queue[place].isHeld, "not released")
        queue[place].mayBeHeld = false
        if isReleased { end(queue.remove(at: place).exchange, .failed) }
    }
}
