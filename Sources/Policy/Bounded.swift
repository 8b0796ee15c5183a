import YAML

extension Kind {
    /// `{default: …, max: …}`, or one value that means both.
    static func bounded<Element: Comparable>(
        _ element: Kind<Element>
    ) -> Kind where Value == Policy.Bounded<Element> {
        let schema = Schema<Draft<Element>>(
            start: Draft(),
            [
                Key(
                    "default", element.map(Optional.some), .required, \.standard,
                    "What holds when the run card says nothing."),
                Key(
                    "max", element.map(Optional.some), .required, \.max,
                    "The most that a run card may ask for."),
            ])
        let long = Kind<Draft<Element>>.record(schema).converted { draft, node, reader in
            bounds(draft, node, &reader)
        }
        return .scalar(
            element.map { Policy.Bounded(standard: $0, max: $0) },
            orMapping: long.named("`{default, max}`"))
    }
}

/// The two keys while they are read.
private struct Draft<Element: Sendable>: Sendable {
    var standard: Element?
    var max: Element?
}

private func bounds<Element: Comparable>(
    _ draft: Draft<Element>, _ node: Node, _ reader: inout Reader
) -> Policy.Bounded<Element>? {
    // Both keys are required, so both are here when the mapping was read without a mistake.
    guard let standard = draft.standard, let max = draft.max else { return nil }
    guard standard <= max else {
        reader.report(node["default"]?.place ?? node.place, "'default' is above 'max'")
        return nil
    }
    return Policy.Bounded(standard: standard, max: max)
}
