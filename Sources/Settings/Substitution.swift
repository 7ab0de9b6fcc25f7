/// `${NAME}` and `${NAME:-default}` in the values of the file (contract section 8).
///
/// As in a shell, the default also stands in for a variable that is set to nothing. What comes
/// from a variable is a value and nothing else: it is neither parsed as YAML nor looked through
/// again. A `$` that no `{` follows stands for itself.
enum Substitution {
    /// Why a variable could not be put in.
    struct Failure: Error, Equatable {
        let message: String

        init(_ message: String) {
            self.message = message
        }
    }

    /// How long a value may become.
    static let byteCountMax = 64 * 1024

    /// The text with every variable put in, or why that cannot be.
    static func apply(
        to text: String,
        environment: (String) -> String?
    ) -> Result<String, Failure> {
        var rest = Substring(text).utf8
        var result = ""
        while let opening = opening(in: rest) {
            result += Substring(rest[..<opening])
            let inside = rest[opening...].dropFirst(2)
            guard let close = inside.firstIndex(of: UInt8(ascii: "}")) else {
                return .failure(Failure("'${' without a '}'"))
            }
            switch value(of: Substring(inside[..<close]), environment) {
            case .success(let value): result += value
            case .failure(let failure): return .failure(failure)
            }
            guard result.utf8.count <= byteCountMax else {
                return .failure(Failure("the value is longer than 64KiB with its variables"))
            }
            rest = inside[close...].dropFirst()
        }
        return .success(result + Substring(rest))
    }

    /// Where the next `${` begins.
    private static func opening(in text: Substring.UTF8View) -> Substring.UTF8View.Index? {
        var rest = text
        while let dollar = rest.firstIndex(of: UInt8(ascii: "$")) {
            rest = rest[dollar...].dropFirst()
            if rest.first == UInt8(ascii: "{") { return dollar }
        }
        return nil
    }

    /// What stands for the inside of one `${…}`.
    private static func value(
        of inside: Substring,
        _ environment: (String) -> String?
    ) -> Result<String, Failure> {
        let nameBytes = inside.utf8.prefix(while: isNameByte)
        let name = String(Substring(nameBytes))
        let rest = inside[nameBytes.endIndex...]
        let beginsWell = nameBytes.first.map { !(0x30...0x39).contains($0) } ?? false
        guard beginsWell, rest.isEmpty || rest.utf8.starts(with: ":-".utf8) else {
            let shown = Wording.quoted("${\(inside)}")
            return .failure(Failure("expected ${NAME} or ${NAME:-default}, found \(shown)"))
        }
        let value = environment(name)
        if rest.isEmpty {
            guard let value else {
                let message = "the environment has no variable \(Wording.quoted(name))"
                return .failure(Failure(message + "; a default is written ${NAME:-default}"))
            }
            return .success(value)
        }
        guard let value, !value.isEmpty else {
            return .success(String(Substring(rest.utf8.dropFirst(2))))
        }
        return .success(value)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default:
            false
        }
    }
}
