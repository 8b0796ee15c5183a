public import JSONRPC

/// The lists that a server may offer.
public enum ListKind: String, Sendable, Equatable, CaseIterable {
    /// `tools/list`.
    case tools
    /// `prompts/list`.
    case prompts
    /// `resources/list`.
    case resources
    /// `resources/templates/list`.
    case resourceTemplates

    /// The method that asks for it, the same in both eras.
    public var method: String {
        switch self {
        case .tools: "tools/list"
        case .prompts: "prompts/list"
        case .resources: "resources/list"
        case .resourceTemplates: "resources/templates/list"
        }
    }

    /// The list that a method asks for.
    public init?(method: String) {
        guard let kind = ListKind.allCases.first(where: { $0.method == method }) else { return nil }
        self = kind
    }

    /// The member of the answer that holds it.
    var member: String { rawValue }

    /// The capability under which a server says that it has it.
    var capability: String {
        switch self {
        case .tools: "tools"
        case .prompts: "prompts"
        case .resources, .resourceTemplates: "resources"
        }
    }

    /// The member of an entry that names it.
    var identity: String {
        switch self {
        case .tools, .prompts: "name"
        case .resources: "uri"
        case .resourceTemplates: "uriTemplate"
        }
    }

    /// What one entry is called in messages.
    public var noun: String {
        switch self {
        case .tools: "tool"
        case .prompts: "prompt"
        case .resources: "resource"
        case .resourceTemplates: "resource template"
        }
    }

    /// The name, or URI, of an entry that can be used; nil for any other.
    func identity(of json: JSON) -> String? {
        switch self {
        case .tools: return ToolDefinition(json)?.name
        case .prompts:
            guard let name = json["name"]?.stringValue, !name.isEmpty,
                name.utf8.count <= Limit.toolNameBytes
            else { return nil }
            return name
        case .resources, .resourceTemplates:
            guard let uri = json[identity]?.stringValue, !uri.isEmpty,
                uri.utf8.count <= Limit.ownURIBytes, json["name"]?.stringValue != nil
            else { return nil }
            return uri
        }
    }
}

/// What a server said that it offers, as far as it was asked.
public struct Offer: Sendable, Equatable {
    /// The definitions of each list that was asked for, as the server gave them; a server that does
    /// not offer a list at all has an empty one.
    public var lists: [ListKind: [JSON]] = [:]
    /// Why lists are empty that could not be used, for people.
    public var complaints: [String] = []
    /// Whether it answers `completion/complete`; nil when that was not asked.
    public var completes: Bool?
    /// Whether it tells of changes of single resources; nil when that was not asked.
    public var subscribes: Bool?

    /// An offer of nothing that was asked.
    public init() {}

    /// The tools, when they were asked for.
    public var tools: [ToolDefinition]? { lists[.tools]?.compactMap(ToolDefinition.init) }
}
