extension Kind {
    /// A mapping with its own keys.
    public static func record(_ schema: Schema<Value>) -> Kind {
        Kind(
            takes: "mapping", rows: { schema.rows() },
            read: { node, reader in schema.read(node, &reader) })
    }

    /// A list of at most `limit` elements.
    public static func list<Element>(
        of element: Kind<Element>, limit: Int = 64
    ) -> Kind where Value == [Element] {
        let rows: @Sendable () -> [Row] = { element.rows().map { $0.inList() } }
        return Kind(takes: "list of \(element.takes)", rows: rows) { node, reader in
            guard case .sequence(let items) = node.content else {
                reader.report(node.place, "takes a list of \(element.takes), not \(node.shape)")
                return nil
            }
            guard items.count <= limit else {
                reader.report(node.place, "has \(items.count) elements, at most \(limit) fit")
                return nil
            }
            let before = reader.mistakes.count
            var values: [Element] = []
            for (index, item) in items.enumerated() {
                let value = reader.descend("[\(index)]", item.place) { reader in
                    element.read(item, &reader)
                }
                if let value { values.append(value) }
            }
            return reader.mistakes.count == before ? values : nil
        }
    }

    /// A mapping with names that are not known beforehand; at most `limit` of them.
    public static func map<Name, Element>(
        _ name: Kind<Name>, to element: Kind<Element>, limit: Int = 64
    ) -> Kind where Value == [(name: Name, value: Element)] {
        let takes = "mapping of \(name.takes) to \(element.takes)"
        return Kind(takes: takes) { node, reader in
            guard case .mapping(let entries) = node.content else {
                reader.report(node.place, "takes a \(takes), not \(node.shape)")
                return nil
            }
            guard entries.count <= limit else {
                reader.report(node.place, "has \(entries.count) entries, at most \(limit) fit")
                return nil
            }
            let before = reader.mistakes.count
            var values: [(name: Name, value: Element)] = []
            for entry in entries {
                let text = Node.Scalar(text: entry.name, style: .plain)
                let key = name.read(Node(place: entry.place, content: .scalar(text)), &reader)
                let value = reader.descend("." + entry.name, entry.value.place) { reader in
                    element.read(entry.value, &reader)
                }
                if let key, let value { values.append((key, value)) }
            }
            return reader.mistakes.count == before ? values : nil
        }
    }

    /// Either kind: a mapping is read by the second, anything else by the first.
    public static func scalar(_ short: Kind, orMapping long: Kind) -> Kind {
        Kind(takes: "\(short.takes); or \(long.takes)", rows: long.rows) { node, reader in
            guard case .mapping = node.content else { return short.read(node, &reader) }
            return long.read(node, &reader)
        }
    }

    /// Either kind: a list is read by the second, anything else by the first.
    public static func scalar(_ one: Kind, orList many: Kind) -> Kind {
        Kind(takes: "\(one.takes); or \(many.takes)", rows: many.rows) { node, reader in
            guard case .sequence = node.content else { return one.read(node, &reader) }
            return many.read(node, &reader)
        }
    }

    /// The same kind, converted.
    public func map<Other>(_ convert: @escaping @Sendable (Value) -> Other) -> Kind<Other> {
        converted { value, _, _ in convert(value) }
    }

    /// The same kind, converted with the node at hand; nil after reporting why not.
    public func converted<Other>(
        _ convert: @escaping @Sendable (Value, Node, inout Reader) -> Other?
    ) -> Kind<Other> {
        Kind<Other>(takes: takes, rows: rows) { node, reader in
            guard let value = self.read(node, &reader) else { return nil }
            return convert(value, node, &reader)
        }
    }
}
