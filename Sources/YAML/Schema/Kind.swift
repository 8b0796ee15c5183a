/// What a key takes: how its node becomes a value, and how the documentation names it.
public struct Kind<Value: Sendable>: Sendable {
    /// What it takes, in words, for messages and documentation.
    public let takes: String
    /// The keys inside it, for the documentation.
    let rows: @Sendable () -> [Row]
    /// Reads a node; nil after reporting why not.
    let read: @Sendable (Node, inout Reader) -> Value?

    init(
        takes: String, rows: @escaping @Sendable () -> [Row] = { [] },
        read: @escaping @Sendable (Node, inout Reader) -> Value?
    ) {
        self.takes = takes
        self.rows = rows
        self.read = read
    }

    /// A kind written as text; `parse` gives the value, or throws what is wrong with the text.
    public init(
        scalar takes: String, _ parse: @escaping @Sendable (String) throws(Wrong) -> Value
    ) {
        self.init(takes: takes) { node, reader in
            guard case .scalar(let scalar) = node.content else {
                reader.report(node.place, "takes \(takes), not \(node.shape)")
                return nil
            }
            do throws(Wrong) {
                return try parse(scalar.text)
            } catch {
                let text = printable(scalar.text)
                reader.report(node.place, "'\(text)' is not accepted: \(error.message)")
                return nil
            }
        }
    }

    /// The same kind with a further condition on the value.
    public func checked(
        _ check: @escaping @Sendable (Value) throws(Wrong) -> Void
    ) -> Kind {
        Kind(takes: takes, rows: rows) { node, reader in
            guard let value = self.read(node, &reader) else { return nil }
            do throws(Wrong) {
                try check(value)
                return value
            } catch {
                reader.report(node.place, error.message)
                return nil
            }
        }
    }

    /// The same kind under another name in messages and documentation.
    public func named(_ takes: String) -> Kind {
        Kind(takes: takes, rows: rows, read: read)
    }
}

/// What is wrong with a value, in words that say what would be right.
public struct Wrong: Error, Sendable, Equatable {
    /// The words.
    public let message: String

    /// Says what is wrong.
    public init(_ message: String) {
        self.message = message
    }
}
