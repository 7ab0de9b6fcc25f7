import Settings

/// What libyaml's words mean for people in the cases that they meet most.
enum Hints {
    /// The problem with a hint added where its line shows what was probably wrong.
    static func added(to problem: Settings.Problem, _ bytes: [UInt8]) -> Settings.Problem {
        let line = line(problem.line, of: bytes)
        let indent = line.prefix { $0 == 0x20 || $0 == 0x09 }
        var hinted = problem
        if indent.contains(0x09) {
            hinted.message += "; a tab cannot indent, use blanks"
        } else if hasBareIPv6(line) {
            hinted.message += "; an IPv6 address needs quotes: \"[::1]:8080\""
        }
        return hinted
    }

    /// A line by its number, without what ends it.
    private static func line(_ number: Int, of bytes: [UInt8]) -> ArraySlice<UInt8> {
        var rest = bytes[...]
        for _ in 1..<max(1, number) {
            guard let end = rest.firstIndex(of: 0x0A) else { return [] }
            rest = rest[end...].dropFirst()
        }
        return rest.prefix { $0 != 0x0A && $0 != 0x0D }
    }

    /// Whether `]:` and a digit stand in it.
    private static func hasBareIPv6(_ line: ArraySlice<UInt8>) -> Bool {
        var rest = line
        while let bracket = rest.firstIndex(of: UInt8(ascii: "]")) {
            rest = rest[bracket...].dropFirst()
            let digit = rest.dropFirst().first ?? 0
            if rest.first == UInt8(ascii: ":") && (0x30...0x39).contains(digit) { return true }
        }
        return false
    }
}
