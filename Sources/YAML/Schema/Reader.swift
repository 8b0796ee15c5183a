/// Collects what is wrong with a document while its nodes are read, and where each key stands.
public struct Reader: Sendable {
    /// Every mistake so far, in reading order.
    public private(set) var mistakes: [Mistake] = []
    /// Where each key that was read is written, by its path: `limits.memory`, `allow[0].users`.
    public private(set) var places: [String: Place] = [:]
    private var path = ""

    /// Starts with nothing read.
    public init() {}

    /// Records a mistake; those beyond a fixed number are dropped, since reading fails anyway.
    public mutating func report(_ place: Place, _ message: String) {
        guard mistakes.count < Limit.mistakes else { return }
        mistakes.append(Mistake(place, message))
    }

    /// Reads what `body` reads under one more step of the path: `.name` or `[index]`.
    mutating func descend<Value>(
        _ step: String, _ place: Place, _ body: (inout Reader) -> Value
    ) -> Value {
        let outer = path
        path = outer.isEmpty && step.first == "." ? String(step.dropFirst()) : outer + step
        defer { path = outer }
        places[path] = place
        return body(&self)
    }
}

extension Schema {
    /// Reads a whole file: parses it, reads every key, checks, and fills in the defaults.
    ///
    /// Throws all mistakes of the file at once.
    public func read(_ bytes: [UInt8], file: String) throws(Mistakes) -> Document<Record> {
        let node = try Parser.parse(bytes, file: file)
        var reader = Reader()
        let record = read(node, &reader)
        guard let record, reader.mistakes.isEmpty else { throw Mistakes(reader.mistakes) }
        return Document(value: record, places: reader.places)
    }
}

/// What a file says, and where it says it.
public struct Document<Value: Sendable>: Sendable {
    /// What it says, with every default filled in.
    public var value: Value
    /// Where each written key's value stands, by path (`limits.memory`); defaults have no place.
    public var places: [String: Place]
}
