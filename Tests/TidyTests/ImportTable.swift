/// The table of `Sources/README.md`: who may import whom.
struct ImportTable {
    enum Floor: String, CaseIterable {
        case executable
        case shell
        case adapter
        case core
        case ground

        /// The floors whose modules this one may import; C and the system are not floors.
        var below: [Self] {
            switch self {
            case .executable, .shell: [.shell, .adapter, .core, .ground]
            case .adapter: [.core, .ground]
            case .core: [.core, .ground]
            case .ground: [.ground]
            }
        }
    }

    struct Row {
        var floor: Floor
        var mayImport: [String]
    }

    /// What belongs to the system and not to the house.
    static let systemModules = ["Glibc", "Synchronization"]

    private(set) var rows: [String: Row] = [:]
    private(set) var findings: [String] = []

    /// Reads the rows of the table in a text of Markdown.
    init(markdown: String) {
        let header = ["module", "floor", "may import"]
        var isInside = false
        for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("|") else {
                isInside = false
                continue
            }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                .dropFirst().dropLast().map { Self.trimmed($0) }
            if cells == header {
                isInside = true
            } else if isInside, cells.count == 3, !cells[0].hasPrefix("-") {
                add(cells)
            }
        }
    }

    private mutating func add(_ cells: [String]) {
        guard let floor = Floor(rawValue: cells[1]) else {
            findings.append("\(cells[0]): there is no floor \(cells[1])")
            return
        }
        let modules = cells[2].split(separator: ",").map { Self.trimmed($0) }
        rows[cells[0]] = Row(floor: floor, mayImport: modules.filter { !$0.isEmpty })
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    /// What is wrong with the table itself: imports that go up, sideways or in a circle.
    func problems() -> [String] {
        var result = findings
        for (name, row) in rows.sorted(by: { $0.key < $1.key }) {
            for module in row.mayImport where !Self.systemModules.contains(module) {
                if let target = rows[module] {
                    if !row.floor.below.contains(target.floor) {
                        result.append("\(name) (\(row.floor)) may not import \(module)")
                    }
                } else if !module.hasPrefix("C") || ![.adapter, .ground].contains(row.floor) {
                    result.append("\(name) may not import \(module), which is no module here")
                }
            }
            if reaches(name, from: row.mayImport, visited: []) {
                result.append("\(name) imports itself in a circle")
            }
            if row.floor != .adapter, row.mayImport.contains("Glibc") {
                result.append("\(name) is no adapter and may not import Glibc")
            }
        }
        return result
    }

    private func reaches(_ name: String, from modules: [String], visited: Set<String>) -> Bool {
        modules.contains { module in
            guard module != name else { return true }
            guard let row = rows[module], !visited.contains(module) else { return false }
            return reaches(name, from: row.mayImport, visited: visited.union([module]))
        }
    }

    /// What `Package.swift` says otherwise than the table.
    func disagreements(with manifest: [String: [String]]) -> [String] {
        let names = Set(rows.keys).union(manifest.keys).sorted()
        return names.compactMap { name in
            guard let row = rows[name] else { return "\(name) is in Package.swift alone" }
            guard let declared = manifest[name] else { return "\(name) is in the table alone" }
            let here = Set(row.mayImport).subtracting(Self.systemModules)
            let different = here.symmetricDifference(declared).sorted()
            return different.isEmpty ? nil : "\(name): \(different.joined(separator: ", "))"
        }
    }

    /// The import lines of a file that the table does not allow.
    func forbiddenImports(in text: SwiftText, of module: String) -> [String] {
        guard let row = rows[module] else { return ["\(text.path): \(module) is not in the table"] }
        return text.imports.filter { !row.mayImport.contains($0.module) }.map {
            "\(text.path):\($0.line): \(module) may not import \($0.module)"
        }
    }
}

/// The targets of `Sources` in a manifest, each with its dependencies.
func targetDependencies(ofManifest text: String) -> [String: [String]] {
    let code = text.split(separator: "\n").filter { line in
        !line.drop { $0 == " " }.hasPrefix("//")
    }.joined(separator: " ")
    // The executable is declared in full, the others through the manifest's own `module`.
    let calls = code.replacing(".executableTarget(", with: "module(")
        .replacing("name:", with: "").replacing("dependencies:", with: "")
    var result: [String: [String]] = [:]
    for call in calls.matches(of: /\bmodule\(\s*"(\w+)"(?:,\s*\[([^\]]*)\])?/) {
        let list = call.output.2 ?? ""
        result[String(call.output.1)] = list.matches(of: /"(\w+)"/).map { String($0.output.1) }
    }
    return result
}
