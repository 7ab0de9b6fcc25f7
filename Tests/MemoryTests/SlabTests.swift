import Memory
import Testing

/// Counts the living values of one test.
private final class Census {
    var living = 0
}

private struct Citizen: ~Copyable {
    let census: Census
    var name: Int

    init(_ census: Census, name: Int) {
        self.census = census
        self.name = name
        census.living += 1
    }

    deinit {
        census.living -= 1
    }
}

struct SlabTests {
    @Test("a value is found by its token, and changed in its place")
    func access() {
        let census = Census()
        var slab = Slab<Citizen>()
        let first = slab.insert(Citizen(census, name: 1))
        let second = slab.insert(Citizen(census, name: 2))
        slab[first].name += 10
        #expect((slab[first].name == 11) as Bool)
        #expect((slab[second].name == 2) as Bool)
        #expect((slab.count == 2) as Bool)
    }

    @Test("a token of a former tenant names nothing, whoever lives there now")
    func generations() {
        let census = Census()
        var slab = Slab<Citizen>()
        let old = slab.insert(Citizen(census, name: 1))
        let removed = slab.remove(old)
        #expect(removed.name == 1)
        let new = slab.insert(Citizen(census, name: 2))
        #expect(new.index == old.index, "the place is used again")
        #expect(new != old)
        #expect((!slab.contains(old)) as Bool)
        #expect((slab.contains(new)) as Bool)
        #expect((!slab.contains(.none)) as Bool)
        #expect((!slab.contains(SlabToken(index: 1_000_000, generation: 1))) as Bool)
    }

    @Test("what lives in the slab goes with it, once")
    func end() {
        let census = Census()
        do {
            var slab = Slab<Citizen>()
            for name in 0..<200 { _ = slab.insert(Citizen(census, name: name)) }
            for index in stride(from: 0, to: 200, by: 3) {
                if let token = slab.token(at: index) { _ = slab.remove(token) }
            }
            #expect((census.living == slab.count) as Bool)
        }
        #expect(census.living == 0)
    }

    @Test("a seeded random walk against a dictionary")
    func model() {
        let census = Census()
        var slab = Slab<Citizen>()
        var model: [SlabToken: Int] = [:]
        var gone: [SlabToken] = []
        var state: UInt64 = 42
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for step in 0..<50_000 {
            if model.isEmpty || random(100) < 52 {
                let token = slab.insert(Citizen(census, name: step))
                #expect(model[token] == nil, "a token is given out once")
                model[token] = step
            } else if let token = model.randomElement()?.key {
                let citizen = slab.remove(token)
                #expect(citizen.name == model.removeValue(forKey: token))
                gone.append(token)
            }
            if let token = gone.last, step % 16 == 0 { #expect((!slab.contains(token)) as Bool) }
        }
        #expect((slab.count == model.count) as Bool)
        for (token, name) in model { #expect((slab[token].name == name) as Bool) }
        let found = (0..<slab.placeCount).compactMap { slab.token(at: $0) }
        #expect(Set(found) == Set(model.keys))
    }
}
