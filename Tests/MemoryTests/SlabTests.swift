import Memory
import Testing

struct SlabTests {
    @Test("a value is found under its token until it is removed")
    func life() {
        var slab = Slab<Int>()
        #expect(slab.count == 0)
        let one = slab.insert(1)
        let two = slab.insert(2)
        #expect(slab.count == 2)
        #expect(slab[one] == 1)
        slab[two] += 40
        #expect(slab[two] == 42)
        #expect(slab.remove(one) == 1)
        #expect(slab.contains(one) == false)
        #expect(slab.contains(two) == true)
        #expect(slab.count == 1)
    }

    @Test("a stale token names nothing, though its place lives on with another tenant")
    func stale() {
        var slab = Slab<Int>()
        var former: [SlabToken] = []
        for tenant in 0..<100 {
            let token = slab.insert(tenant)
            #expect(token.index == 0)
            #expect(token.generation & 1 == 1)
            for old in former { #expect(slab.contains(old) == false) }
            #expect(slab[token] == tenant)
            #expect(slab.remove(token) == tenant)
            former.append(token)
        }
        #expect(Set(former).count == 100)
    }

    @Test("tokens that no slab gave name nothing")
    func foreign() {
        var slab = Slab<Int>()
        #expect(slab.contains(.none) == false)
        #expect(slab.contains(SlabToken(index: 0, generation: 1)) == false)
        let token = slab.insert(1)
        #expect(slab.contains(.none) == false)
        #expect(slab.contains(SlabToken(index: token.index, generation: token.generation)) == true)
        #expect(slab.contains(SlabToken(index: .max, generation: 1)) == false)
        #expect(
            slab.contains(SlabToken(index: token.index, generation: token.generation &+ 2)) == false
        )
        // A free place has an even generation, which is no token.
        #expect(slab.contains(SlabToken(index: 1, generation: 0)) == false)
    }

    @Test("what it grows past stays where it is, and is all swept over")
    func growth() {
        var slab = Slab<Int>()
        var tokens: [SlabToken] = []
        for number in 0..<1000 { tokens.append(slab.insert(number)) }
        #expect(slab.count == 1000)
        #expect(slab.placeCount == 1024)
        for number in 0..<1000 where slab[tokens[number]] != number {
            Issue.record("\(number) is gone")
        }
        var seen: [SlabToken] = []
        for place in 0..<slab.placeCount {
            if let token = slab.token(at: place) { seen.append(token) }
        }
        #expect(Set(seen) == Set(tokens))
        for token in tokens { _ = slab.remove(token) }
        #expect(slab.count == 0)
        for number in 0..<1000 { _ = slab.insert(number) }
        #expect(slab.placeCount == 1024)
    }

    @Test("each value goes exactly once: with its removal, or with the slab")
    func deinits() {
        let deaths = Deaths()
        do {
            var slab = Slab<Mortal>()
            var tokens: [SlabToken] = []
            for name in 0..<150 { tokens.append(slab.insert(Mortal(name: name, deaths: deaths))) }
            #expect(deaths.count == 0)
            for token in tokens[..<50] { _ = slab.remove(token) }
            #expect(deaths.count == 50)
            slab[tokens[60]] = Mortal(name: 0, deaths: deaths)
            #expect(deaths.count == 51)
            slab[tokens[61]].name = 7
            #expect(slab[tokens[61]].name == 7)
            #expect(slab.count == 100)
        }
        #expect(deaths.count == 151)
    }

    @Test("any sequence of steps leaves what a dictionary would", arguments: 1...8)
    func model(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        let deaths = Deaths()
        var slab = Slab<Mortal>()
        var model: [SlabToken: Int] = [:]
        var order: [SlabToken] = []
        var gone: [SlabToken] = []
        for step in 0..<4000 {
            let dice = Int.random(in: 0..<10, using: &random)
            if order.isEmpty || dice < 5 {
                let token = slab.insert(Mortal(name: step, deaths: deaths))
                #expect(model[token] == nil, "a token twice")
                model[token] = step
                order.append(token)
            } else {
                let place = Int.random(in: order.indices, using: &random)
                let token = order[place]
                if dice < 6 {
                    slab[token].name += 1
                    model[token, default: 0] += 1
                } else {
                    order.swapAt(place, order.count - 1)
                    order.removeLast()
                    #expect(slab.remove(token).name == model.removeValue(forKey: token))
                    gone.append(token)
                }
            }
            #expect(slab.count == model.count)
            if let token = order.randomElement(using: &random) {
                #expect(slab[token].name == model[token])
            }
            if let token = gone.randomElement(using: &random) {
                #expect(slab.contains(token) == false)
            }
        }
        #expect(deaths.count == gone.count)
        #expect(slab.placeCount < 4000)
    }
}
