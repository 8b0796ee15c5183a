public import JSONRPC

/// One list of a connection as clients see it: under exposed names, ready to be sent in both eras.
public struct Catalog: Sendable {
    /// One tool, prompt, resource or resource template.
    public struct Entry: Sendable {
        /// What clients ask for: `connection__tool`, or a URI.
        public let exposedName: String
        /// What the server calls it.
        public let name: String
        /// The definition for people: name, title, description.
        public let definition: JSON
        /// The definition's bytes in a list of the modern era.
        let modern: [UInt8]
        /// The same for the legacy era.
        let legacy: [UInt8]
    }

    /// The entries, sorted by exposed name.
    public let entries: [Entry]
    private let index: [String: Int]

    /// Names and prepares the tools of a connection.
    public init(connection: String, tools: [ToolDefinition]) {
        self.init(connection: connection, .tools, tools.map(\.json))
    }

    /// Names and prepares the entries of one list of a connection; what cannot be used is left out.
    /// `clean` makes text for people safe to show; schemas and names at the server stay as they
    /// are.
    public init(
        connection: String, _ kind: ListKind, _ items: [JSON],
        clean: (String) -> String = { $0 }
    ) {
        var taken: Set<String> = []
        let named = items.compactMap { json in kind.identity(of: json).map { ($0, json) } }
        entries = named.sorted { $0.0 < $1.0 }.map { own, json in
            var name = ResourceURI.exposed(connection: connection, own: own)
            if kind == .tools || kind == .prompts {
                name = ToolName.exposed(connection: connection, tool: own, taken: taken)
            }
            taken.insert(ToolName.skeleton(name))
            return Entry(exposing: json.cleaned(clean), of: kind, own: own, as: name)
        }.sorted { $0.exposedName < $1.exposedName }
        var index: [String: Int] = [:]
        for (position, entry) in entries.enumerated() { index[entry.exposedName] = position }
        self.index = index
    }

    /// The entry with an exposed name.
    public subscript(_ exposedName: String) -> Entry? {
        index[exposedName].map { entries[$0] }
    }
}

extension Catalog.Entry {
    fileprivate init(exposing json: JSON, of kind: ListKind, own: String, as exposed: String) {
        var modern = json
        modern[kind.identity] = .string(exposed)
        // Tasks are an experiment of one legacy revision; nothing here carries them.
        if kind == .tools { modern["execution"] = nil }
        var legacy = modern
        if legacy["outputSchema"]?["type"]?.stringValue != "object" { legacy["outputSchema"] = nil }
        self.init(
            exposedName: exposed, name: own, definition: modern,
            modern: modern.serialized(), legacy: legacy.serialized())
    }

    /// Appends the definition as an element of a list.
    public func write(for era: Era, into out: inout LineWriter) {
        out.lines(era == .modern ? modern : legacy)
    }
}

extension JSON {
    /// A definition whose text for people is safe to show.
    fileprivate func cleaned(_ clean: (String) -> String) -> JSON {
        var json = self
        for name in ["title", "description"] {
            if let text = json[name]?.stringValue { json[name] = .string(clean(text)) }
        }
        // The name of a resource is text for people; other names are replaced.
        if json["uri"] != nil || json["uriTemplate"] != nil, let text = json["name"]?.stringValue {
            json["name"] = .string(clean(text))
        }
        if let text = json["annotations"]?["title"]?.stringValue {
            json["annotations"]?["title"] = .string(clean(text))
        }
        if let arguments = json["arguments"]?.arrayValue {
            json["arguments"] = .array(arguments.map { $0.cleaned(clean) })
        }
        return json
    }
}

/// The names of tools and prompts as clients see them.
public enum ToolName {
    /// What stands between the connection and its tool.
    public static let separator = "__"

    /// The name of a connection's tool for clients: characters that language models' APIs refuse
    /// become `_`; a name that is too long, or looks like one that is taken, ends in a digest of
    /// the whole. `taken` holds skeletons.
    public static func exposed(connection: String, tool: String, taken: Set<String>) -> String {
        let plain = connection + separator + String(decoding: tool.utf8.map(safe), as: UTF8.self)
        guard plain.utf8.count > Limit.exposedNameBytes || taken.contains(skeleton(plain)) else {
            return plain
        }
        var digest = fingerprint(tool)
        while true {
            let tail = "_" + hexadecimal(digest)
            let head = plain.utf8.prefix(Limit.exposedNameBytes - tail.utf8.count)
            let name = String(decoding: Array(head), as: UTF8.self) + tail
            if !taken.contains(skeleton(name)) { return name }
            digest &+= 1
        }
    }

    /// What a name looks like (UTS 39): two with the same skeleton can be taken for each other. Of
    /// the characters that names have here five have a look-alike; all others are their own.
    static func skeleton(_ name: String) -> String {
        var out = ""
        for character in name.unicodeScalars {
            switch character {
            case "0": out += "O"
            case "1", "I": out += "l"
            case "m": out += "rn"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    /// The connection's part of a name that a client calls.
    public static func connection(of name: String) -> Substring? {
        var at = name.utf8.startIndex
        let bytes = name.utf8
        while at < bytes.endIndex {
            if bytes[at] == UInt8(ascii: "_") {
                let next = bytes.index(after: at)
                guard next < bytes.endIndex, bytes[next] == UInt8(ascii: "_") else { return nil }
                return at > bytes.startIndex ? name[..<at] : nil
            }
            at = bytes.index(after: at)
        }
        return nil
    }

    private static func safe(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            byte
        default: UInt8(ascii: "_")
        }
    }

    /// 32 bits of FNV-1a: names are told apart by it, nothing is protected.
    private static func fingerprint(_ text: String) -> UInt32 {
        text.utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }
}
