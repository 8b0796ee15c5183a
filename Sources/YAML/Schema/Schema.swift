/// The keys of a mapping and the value they fill: parser, checks and documentation in one.
public struct Schema<Record: Sendable>: Sendable {
    /// The keys, in the order the documentation lists them.
    public let keys: [Key<Record>]
    private let start: Record
    private let check: @Sendable (inout Record, Node, inout Reader) -> Void

    /// Makes a schema: `start` is the record before any key is stored, `check` looks at the whole
    /// once every key was read without a mistake.
    public init(
        start: Record, _ keys: [Key<Record>],
        check: @escaping @Sendable (inout Record, Node, inout Reader) -> Void = { _, _, _ in }
    ) {
        self.start = start
        self.keys = keys
        self.check = check
    }

    /// Reads a mapping; nil when mistakes were reported.
    func read(_ node: Node, _ reader: inout Reader) -> Record? {
        guard case .mapping(let entries) = node.content else {
            reader.report(node.place, "must be a mapping with keys, not \(node.shape)")
            return nil
        }
        let before = reader.mistakes.count
        for entry in entries where !keys.contains(where: { $0.name == entry.name }) {
            reader.report(entry.place, unknown(entry.name))
        }
        var record = start
        for key in keys {
            key.read(entries.first { $0.name == key.name }, node, &record, &reader)
        }
        guard reader.mistakes.count == before else { return nil }
        check(&record, node, &reader)
        return reader.mistakes.count == before ? record : nil
    }

    private func unknown(_ name: String) -> String {
        let names = keys.map(\.name)
        let hint =
            nearest(name, among: names).map { "did you mean '\($0)'?" }
            ?? "known here: \(names.joined(separator: ", "))"
        return "unknown key '\(printable(name))' (\(hint))"
    }
}

/// One key of a mapping, in one block: its name, what it takes, what holds without it, where the
/// value goes, and the sentence that documents it.
public struct Key<Record: Sendable>: Sendable {
    /// The key as it is written.
    public let name: String
    /// What it takes, in words: `size, 16MiB to 1TiB`.
    public let takes: String
    /// The default as it would be written; nil when there is none.
    public let standard: String?
    /// Whether the key must be there.
    public let isRequired: Bool
    /// One sentence on what it does.
    public let summary: String
    /// The keys below this one, for the documentation.
    let rows: @Sendable () -> [Row]
    fileprivate let store: @Sendable (Node, inout Record, inout Reader) -> Void

    /// What holds when a key is absent.
    public enum Presence: Sendable {
        /// The key must be there.
        case required
        /// This text is read as if it had been written.
        case standard(String)
    }

    /// A key that always has a value.
    public init<Value: Sendable>(
        _ name: String, _ kind: Kind<Value>, _ presence: Presence,
        _ path: any WritableKeyPath<Record, Value> & Sendable, _ summary: String
    ) {
        self.init(name, kind, presence, summary) { $1[keyPath: path] = $0 }
    }

    /// A key that may be absent without a default; the record keeps what it started with.
    public init<Value: Sendable>(
        optional name: String, _ kind: Kind<Value>,
        _ path: any WritableKeyPath<Record, Value?> & Sendable, _ summary: String
    ) {
        self.init(name, kind, nil, summary) { $1[keyPath: path] = $0 }
    }

    /// `version`, the form of the file: there is only one so far, so it is checked and not kept.
    public static var version: Key {
        let kind = Kind<Int>(scalar: "`1`") { text throws(Wrong) in
            guard text == "1" else { throw Wrong("this program reads version 1") }
            return 1
        }
        return Key("version", kind, .required, "The form of this file.") { _, _ in }
    }

    private init<Value: Sendable>(
        _ name: String, _ kind: Kind<Value>, _ presence: Presence?, _ summary: String,
        _ assign: @escaping @Sendable (Value, inout Record) -> Void
    ) {
        self.name = name
        takes = kind.takes
        self.summary = summary
        rows = kind.rows
        switch presence {
        case .required: (isRequired, standard) = (true, nil)
        case .standard(let text): (isRequired, standard) = (false, text)
        case nil: (isRequired, standard) = (false, nil)
        }
        store = { node, record, reader in
            if let value = kind.read(node, &reader) { assign(value, &record) }
        }
    }

    func read(
        _ entry: Node.Member?, _ owner: Node, _ record: inout Record, _ reader: inout Reader
    ) {
        if let entry {
            return reader.descend("." + name, entry.value.place) { reader in
                guard !entry.value.isEmpty else {
                    return reader.report(
                        entry.place, "key '\(name)' has no value (takes \(takes))")
                }
                store(entry.value, &record, &reader)
            }
        }
        guard !isRequired else {
            return reader.report(owner.place, "missing key '\(name)' (takes \(takes))")
        }
        guard let standard else { return }
        var inner = Reader()
        do throws(Mistakes) {
            let node = try Parser.parse(Array(standard.utf8), file: "default of \(name)")
            store(node, &record, &inner)
        } catch {
            reader.report(owner.place, error.description)
        }
        for mistake in inner.mistakes { reader.report(mistake.place, mistake.message) }
    }
}
