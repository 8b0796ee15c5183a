internal import Control
internal import JSONRPC
internal import YAML

/// The caller's tools as `tools/list` tells them, page by page.
struct ToolListing {
    /// The tools with all that their servers said about them.
    let tools: [JSON]

    /// Asks the daemon for all pages.
    init(_ client: ControlClient) throws(CommandFailure) {
        var tools: [JSON] = []
        var cursor: JSON?
        for _ in 0..<Limit.pages {
            let params: JSON = cursor.map { ["cursor": $0] } ?? [:]
            let page = try client.request(
                "tools/list", params: params, doing: "list tools", waiting: .answer)
            tools += page["tools"]?.arrayValue ?? []
            // Only an absent cursor ends the listing; an empty one is a cursor like any other.
            guard let next = page["nextCursor"], next != .null else { break }
            cursor = next
        }
        self.tools = tools
    }

    /// Takes tools that are known.
    init(tools: [JSON]) {
        self.tools = tools
    }

    /// The tool of this full name.
    func tool(_ name: String) -> JSON? {
        tools.first { $0["name"]?.stringValue == name }
    }

    /// The tools of one connection.
    func of(_ connection: String) -> ToolListing {
        ToolListing(
            tools: tools.filter {
                $0["name"]?.stringValue.map(Self.connection) == connection
            })
    }

    /// The connection's name in a tool's full name.
    static func connection(_ name: String) -> String {
        let end = name.firstRange(of: "__")?.lowerBound ?? name.endIndex
        return String(name[..<end])
    }

    /// The failure for a name that no tool has, with the nearest name if one is near.
    func unknown(_ name: String) -> CommandFailure {
        let names = tools.compactMap { $0["name"]?.stringValue }
        let near = nearest(name, among: names)
        return CommandFailure(
            .notFound, "cannot call '\(name)': you have no tool of that name",
            hint: near.map { "did you mean '\($0)'?" } ?? "see `corral tools`")
    }
}
