/// Numbers, durations and sizes as they are written in the file.
enum Quantities {
    /// A whole number in decimal digits.
    static func integer(_ text: String) throws(Mistake) -> Int {
        let (number, unit) = try split(text)
        guard unit.isEmpty else { throw .because(nil) }
        return number
    }

    /// `500ms 5s 2m 12h 7d`.
    static func duration(_ text: String) throws(Mistake) -> Duration {
        let (number, unit) = try split(text)
        switch unit {
        case "ms": return .milliseconds(number)
        case "s": return try seconds(number, of: 1)
        case "m": return try seconds(number, of: 60)
        case "h": return try seconds(number, of: 3600)
        case "d": return try seconds(number, of: 86_400)
        case "": throw .because("the unit is missing: ms, s, m, h or d")
        default: throw .because("the units are ms, s, m, h and d")
        }
    }

    /// `64KiB 1MiB`, or bytes without a unit.
    static func size(_ text: String) throws(Mistake) -> Int {
        let (number, unit) = try split(text)
        let length: Int
        switch unit {
        case "": length = 1
        case "KiB": length = 1 << 10
        case "MiB": length = 1 << 20
        case "GiB": length = 1 << 30
        default: throw .because("the units are KiB, MiB and GiB, or none for bytes")
        }
        let (byteCount, overflow) = number.multipliedReportingOverflow(by: length)
        guard !overflow else { throw .because("it is too great") }
        return byteCount
    }

    private static func seconds(_ number: Int, of length: Int) throws(Mistake) -> Duration {
        let (seconds, overflow) = number.multipliedReportingOverflow(by: length)
        guard !overflow else { throw .because("it is too great") }
        return .seconds(seconds)
    }

    /// The digits at the front as a number of at most twelve of them, and what follows.
    private static func split(_ text: String) throws(Mistake) -> (Int, Substring) {
        let digits = Substring(text.utf8.prefix { (0x30...0x39).contains($0) })
        guard !digits.isEmpty else { throw .because(nil) }
        guard digits.utf8.count <= 12, let number = Int(digits) else {
            throw .because("it is too great")
        }
        return (number, text[digits.endIndex...])
    }
}
