internal import JSONRPC

/// What a server says that it can do.
public struct ServerCapabilities: Sendable, Equatable {
    /// Capabilities that have lists: `tools`, `prompts`, `resources`.
    private var listed: Set<String> = []
    /// Whether it answers `completion/complete`.
    public private(set) var completes = false

    /// None.
    init() {}

    /// Reads the member `capabilities` of a server's first answer.
    init(_ json: JSON?) {
        listed = Set(["tools", "prompts", "resources"].filter { json?[$0]?.objectValue != nil })
        completes = json?["completions"]?.objectValue != nil
    }

    /// Whether it has a list.
    public func offers(_ kind: ListKind) -> Bool { listed.contains(kind.capability) }
}
