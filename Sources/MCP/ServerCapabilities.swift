internal import JSONRPC

/// What a server says that it can do.
public struct ServerCapabilities: Sendable, Equatable {
    /// Capabilities that have lists: `tools`, `prompts`, `resources`.
    private var listed: Set<String> = []
    /// The lists whose changes it tells of.
    public private(set) var tellsOf: Set<ListKind> = []
    /// Whether it tells of changes of single resources.
    public private(set) var subscribes = false
    /// Whether it answers `completion/complete`.
    public private(set) var completes = false
    /// Whether it logs.
    public private(set) var logs = false

    /// None.
    init() {}

    /// Reads the member `capabilities` of a server's first answer.
    init(_ json: JSON?) {
        listed = Set(["tools", "prompts", "resources"].filter { json?[$0]?.objectValue != nil })
        tellsOf = Set(
            [ListKind.tools, .prompts, .resources].filter {
                json?[$0.capability]?["listChanged"]?.boolValue == true
            })
        subscribes = json?["resources"]?["subscribe"]?.boolValue == true
        completes = json?["completions"]?.objectValue != nil
        logs = json?["logging"]?.objectValue != nil
    }

    /// Whether a list is there.
    public func offers(_ kind: ListKind) -> Bool { listed.contains(kind.capability) }
}
