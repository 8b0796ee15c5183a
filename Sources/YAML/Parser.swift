/// Reads one YAML document into a tree, refusing what a configuration file has no use for:
/// anchors, aliases, tags, directives, second documents, duplicate and non-text keys.
public enum Parser {
    /// The largest file that is read, in bytes.
    public static let fileBytes = Limit.fileBytes

    /// Parses `bytes`; `file` names them in places and messages.
    ///
    /// Throws every duplicate key at once; anything else ends the reading where it stands.
    public static func parse(_ bytes: [UInt8], file: String) throws(Mistakes) -> Node {
        let start = Place(file: file)
        guard bytes.count <= Limit.fileBytes else {
            throw Mistakes(start, "file is larger than \(Limit.fileBytes >> 10) KiB")
        }
        do throws(Stop) {
            var builder = TreeBuilder(bytes, file: file)
            let node = try builder.document()
            guard builder.duplicates.isEmpty else { throw .mistakes(builder.duplicates) }
            return node
        } catch {
            switch error {
            case .mistakes(let mistakes): throw Mistakes(mistakes)
            case .libyaml(let failure):
                let place = Place(file: file, line: failure.line, column: failure.column)
                throw Mistakes(place, "not valid YAML: \(failure.message)")
            }
        }
    }
}

/// Why reading ended.
private enum Stop: Error {
    case mistakes([Mistake])
    case libyaml(Events.Failure)
}

/// Turns the event stream into a tree by recursive descent, bounded by `Limit.depth`.
private struct TreeBuilder: ~Copyable {
    private var events: Events
    private let file: String
    private var nodes = 0
    private(set) var duplicates: [Mistake] = []

    init(_ bytes: [UInt8], file: String) {
        self.file = file
        events = Events(bytes)
    }

    mutating func document() throws(Stop) -> Node {
        _ = try next()
        let first = try next()
        guard case .documentStart(let hasDirectives) = first.kind else {
            throw stop(first, "file is empty")
        }
        guard !hasDirectives else { throw stop(first, "directives (%YAML, %TAG) are not accepted") }
        let root = try node(try next(), depth: 1)
        _ = try next()
        let after = try next()
        guard case .streamEnd = after.kind else {
            throw stop(after, "a second document is not accepted: one file holds one")
        }
        guard !root.isEmpty else { throw .mistakes([Mistake(root.place, "file is empty")]) }
        return root
    }

    private mutating func node(_ event: Events.Event, depth: Int) throws(Stop) -> Node {
        nodes += 1
        guard depth <= Limit.depth else {
            throw stop(event, "nested deeper than \(Limit.depth) levels")
        }
        guard nodes <= Limit.nodes else {
            throw stop(event, "more than \(Limit.nodes) values in one file")
        }
        if let decoration = event.decoration {
            throw stop(event, "\(decoration) is not accepted: write the value itself")
        }
        switch event.kind {
        case .scalar(let text, let style):
            return Node(place: place(event), content: .scalar(scalar(text, style, event)))
        case .sequenceStart:
            return Node(place: place(event), content: .sequence(try sequence(depth)))
        case .mappingStart:
            return Node(place: place(event), content: .mapping(try mapping(depth)))
        default:
            throw stop(event, "not valid YAML: a value was expected")
        }
    }

    private mutating func sequence(_ depth: Int) throws(Stop) -> [Node] {
        var items: [Node] = []
        while true {
            let event = try next()
            if case .sequenceEnd = event.kind { return items }
            items.append(try node(event, depth: depth + 1))
        }
    }

    private mutating func mapping(_ depth: Int) throws(Stop) -> [Node.Member] {
        var entries: [Node.Member] = []
        var seen: [String: Place] = [:]
        while true {
            let event = try next()
            if case .mappingEnd = event.kind { return entries }
            let key = try node(event, depth: depth + 1)
            guard case .scalar(let scalar) = key.content, !key.isEmpty else {
                throw stop(event, "a key must be a name, not \(key.shape)")
            }
            let value = try node(try next(), depth: depth + 1)
            if let first = seen[scalar.text] {
                duplicates.append(
                    Mistake(
                        key.place,
                        "duplicate key '\(printable(scalar.text))' (first in line \(first.line))"))
                continue
            }
            seen[scalar.text] = key.place
            entries.append(Node.Member(name: scalar.text, place: key.place, value: value))
        }
    }

    private func scalar(
        _ text: String, _ style: Node.Style, _ event: Events.Event
    ) -> Node.Scalar {
        let length = text.unicodeScalars.count
        let quotes = style == .quoted ? 1 : 0
        let isVerbatim =
            style != .block && event.line == event.endLine
            && event.endColumn - event.column == length + 2 * quotes
        return Node.Scalar(
            text: text, style: style, verbatimColumn: isVerbatim ? event.column + quotes : nil)
    }

    private mutating func next() throws(Stop) -> Events.Event {
        do throws(Events.Failure) { return try events.next() } catch { throw .libyaml(error) }
    }

    private func place(_ event: Events.Event) -> Place {
        Place(file: file, line: event.line, column: event.column)
    }

    private func stop(_ event: Events.Event, _ message: String) -> Stop {
        .mistakes([Mistake(place(event), message)])
    }
}

/// Text fit for a message: control and bidirectional characters escaped, cut after 80.
public func printable(_ text: String) -> String {
    var result = ""
    for (index, scalar) in text.unicodeScalars.enumerated() {
        guard index < 80 else { return result + "…" }
        let category = scalar.properties.generalCategory
        result +=
            category == .control || category == .format
            ? scalar.escaped(asASCII: true) : String(scalar)
    }
    return result
}
