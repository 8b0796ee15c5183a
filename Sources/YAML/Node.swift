/// A node of a YAML document as it was written: text without a type, and where it stands.
///
/// What a scalar means is decided by the key it belongs to (`Kind`), so `no` stays text where text
/// is wanted.
public struct Node: Sendable, Equatable {
    /// What a node holds.
    public enum Content: Sendable, Equatable {
        /// Text.
        case scalar(Scalar)
        /// Nodes in order.
        case sequence([Node])
        /// Names and nodes in the order they were written; no name twice.
        case mapping([Member])
    }

    /// Where it begins.
    public var place: Place
    /// What it holds.
    public var content: Content

    /// Makes a node.
    public init(place: Place, content: Content) {
        self.place = place
        self.content = content
    }
}

extension Node {
    /// How a scalar is written.
    public enum Style: Sendable, Equatable {
        /// Without quotes.
        case plain
        /// In single or double quotes.
        case quoted
        /// As a `|` or `>` block.
        case block
    }

    /// A piece of text.
    public struct Scalar: Sendable, Equatable {
        /// The text, without quotes and with escapes resolved.
        public var text: String
        /// How it is written.
        public var style: Style
        /// The column of the text's first character when source and text are alike character by
        /// character, so that an offset in the text is one in the line; nil otherwise.
        public var verbatimColumn: Int?

        /// Makes a scalar.
        public init(text: String, style: Style, verbatimColumn: Int? = nil) {
            self.text = text
            self.style = style
            self.verbatimColumn = verbatimColumn
        }
    }

    /// A name in a mapping and what belongs to it.
    public struct Member: Sendable, Equatable {
        /// The name.
        public var name: String
        /// Where the name stands.
        public var place: Place
        /// What belongs to it.
        public var value: Node

        /// Makes a member.
        public init(name: String, place: Place, value: Node) {
            self.name = name
            self.place = place
            self.value = value
        }
    }

    /// The node of a mapping's name, or nil.
    public subscript(_ name: String) -> Node? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.name == name }?.value
    }

    /// The nodes of a sequence; empty for anything else.
    public var items: [Node] {
        guard case .sequence(let items) = content else { return [] }
        return items
    }

    /// Whether nothing is written where a value could be (`key:` and no more).
    public var isEmpty: Bool {
        guard case .scalar(let scalar) = content else { return false }
        return scalar.style == .plain && scalar.text.isEmpty
    }

    /// What it is, for messages: `text`, `a list`, `a mapping` or `nothing`.
    public var shape: String {
        switch content {
        case .scalar: isEmpty ? "nothing" : "text"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }

    /// The place of a scalar's character, counted from 0 in Unicode scalars; the node's own place
    /// when the text is not written character by character.
    public func place(ofCharacter offset: Int) -> Place {
        guard case .scalar(let scalar) = content, let column = scalar.verbatimColumn else {
            return place
        }
        return Place(file: place.file, line: place.line, column: column + offset)
    }
}
