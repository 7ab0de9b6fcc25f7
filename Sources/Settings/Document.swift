extension Settings {
    /// A place in the configuration file: line and column, both from 1.
    ///
    /// Line 0 means no place in a file: what is wrong came from the command line.
    public struct Place: Sendable, Equatable, Hashable, Comparable {
        /// The line, from 1.
        public var line: Int
        /// The column in characters, from 1.
        public var column: Int

        /// The place of what no file says.
        public static let none = Self(line: 0, column: 0)
        /// Where a file begins.
        public static let start = Self(line: 1, column: 1)

        /// A place by its line and column.
        public init(line: Int, column: Int) {
            self.line = line
            self.column = column
        }

        /// Whether `left` comes before `right` in the file.
        public static func < (left: Self, right: Self) -> Bool {
            (left.line, left.column) < (right.line, right.column)
        }
    }

    /// A value of the configuration file as it is written, before it means anything.
    public struct Node: Sendable, Equatable {
        /// What can stand in a file.
        public indirect enum Content: Sendable, Equatable {
            /// Text; `isQuoted` tells `"off"` from `off`.
            case scalar(text: String, isQuoted: Bool)
            /// A list.
            case sequence([Node])
            /// Keys and values in the order of the file; no key stands twice.
            case mapping([Entry])
            /// Something that was refused with a problem of its own; readers pass over it.
            case refused
        }

        /// One key of a mapping with its value.
        public struct Entry: Sendable, Equatable {
            /// The key.
            public var key: String
            /// Where the key begins.
            public var place: Place
            /// What it is set to.
            public var value: Node

            /// A key at a place, with its value.
            public init(key: String, place: Place, value: Node) {
                self.key = key
                self.place = place
                self.value = value
            }
        }

        /// The value.
        public var content: Content
        /// Where it begins.
        public var place: Place

        /// A value at a place.
        public init(_ content: Content, at place: Place) {
            self.content = content
            self.place = place
        }
    }

    /// A configuration file, parsed as far as it could be.
    public struct Document: Sendable, Equatable {
        /// What the file holds, or nil if it is empty or could not be parsed.
        public var root: Node?
        /// What kept it, or a part of it, from being parsed.
        public var problems: [Problem]

        /// A document from what it holds and what was wrong with it.
        public init(root: Node?, problems: [Problem]) {
            self.root = root
            self.problems = problems
        }
    }

    /// One thing that is wrong, and where.
    public struct Problem: Sendable, Equatable, Hashable {
        /// Where it stands.
        public var place: Place
        /// What was expected, what stands there, and what was probably meant; one line.
        public var message: String

        /// The line, from 1.
        public var line: Int { place.line }
        /// The column, from 1.
        public var column: Int { place.column }

        /// A problem at a place.
        public init(_ message: String, at place: Place) {
            self.place = place
            self.message = message
        }
    }

    /// Everything that is wrong with a configuration, in the order of the file.
    public struct Problems: Error, Sendable, Equatable {
        /// How many are kept of those of a parser and of a reader: nobody reads more.
        public static let countMax = 1000

        /// At least one.
        public let all: [Problem]

        /// Some problems, at least one.
        public init(_ problems: [Problem]) {
            // A stable sort, so that two problems of one place keep their order.
            all = problems.enumerated()
                .sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }
                .map(\.element)
        }

        /// A line for each problem: `FILE:LINE:COLUMN: message`.
        public func lines(file: String) -> [String] {
            all.map { problem in
                if problem.place == .none {
                    "lychgate: \(problem.message)"
                } else {
                    "\(file):\(problem.line):\(problem.column): \(problem.message)"
                }
            }
        }
    }
}
