/// A value of one column, in SQLite's five types.
enum Value: Equatable {
    case null
    case integer(Int)
    case real(Double)
    case text(String)
    case blob([UInt8])

    static func optional(_ text: String?) -> Value { text.map(Value.text) ?? .null }
    static func optional(_ number: Int?) -> Value { number.map(Value.integer) ?? .null }
    static func optional(_ time: Timestamp?) -> Value {
        time.map { .integer($0.milliseconds) } ?? .null
    }
    static func flag(_ flag: Bool) -> Value { .integer(flag ? 1 : 0) }
}

/// One row of an answer; columns are read by number and must have the type the schema gives them.
struct Row {
    private let values: [Value]

    init(_ values: [Value]) {
        self.values = values
    }

    func text(_ column: Int) -> String { optionalText(column) ?? "" }

    func optionalText(_ column: Int) -> String? {
        if case .text(let text) = values[column] { text } else { nil }
    }

    func integer(_ column: Int) -> Int { optionalInteger(column) ?? 0 }

    func optionalInteger(_ column: Int) -> Int? {
        if case .integer(let number) = values[column] { number } else { nil }
    }

    func bytes(_ column: Int) -> [UInt8] {
        if case .blob(let bytes) = values[column] { bytes } else { [] }
    }
}
