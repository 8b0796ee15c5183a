/// A position in a file: what `file:line:col` names.
///
/// Lines and columns count from 1.
public struct Place: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The file's name as the reader was given it.
    public var file: String
    /// The line, from 1.
    public var line: Int
    /// The column in Unicode scalars, from 1.
    public var column: Int

    /// Names a position.
    public init(file: String, line: Int = 1, column: Int = 1) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:col`.
    public var description: String { "\(file):\(line):\(column)" }

    /// Orders by file, then line, then column.
    public static func < (a: Place, b: Place) -> Bool {
        (a.file, a.line, a.column) < (b.file, b.line, b.column)
    }
}

/// One thing that is wrong with a file, and where.
public struct Mistake: Error, Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Where it is.
    public var place: Place
    /// What it is and what would be right.
    public var message: String

    /// Reports a mistake.
    public init(_ place: Place, _ message: String) {
        self.place = place
        self.message = message
    }

    /// `file:line:col: message`.
    public var description: String { "\(place): \(message)" }

    /// Orders by place, then by message.
    public static func < (a: Mistake, b: Mistake) -> Bool {
        (a.place, a.message) < (b.place, b.message)
    }
}

/// Every mistake found in a file or a set of files, in the order of their places.
public struct Mistakes: Error, Sendable, Equatable, CustomStringConvertible {
    /// The mistakes, sorted, each once; never empty.
    public let all: [Mistake]

    /// Sorts the mistakes and drops repetitions.
    public init(_ mistakes: [Mistake]) {
        all = Set(mistakes).sorted()
    }

    /// Reports a single mistake.
    public init(_ place: Place, _ message: String) {
        all = [Mistake(place, message)]
    }

    /// One mistake a line.
    public var description: String { all.map(\.description).joined(separator: "\n") }
}
