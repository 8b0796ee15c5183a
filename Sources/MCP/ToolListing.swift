public import JSONRPC

/// One tool as its server defines it.
public struct ToolDefinition: Sendable, Equatable {
    /// Its name at the server.
    public let name: String
    /// The whole definition as the server gave it.
    public let json: JSON

    /// Takes a definition that has a name and an object as its input schema; nil otherwise.
    public init?(_ json: JSON) {
        guard let name = json["name"]?.stringValue, !name.isEmpty,
            name.utf8.count <= Limit.toolNameBytes, json["inputSchema"]?.objectValue != nil
        else { return nil }
        self.name = name
        self.json = json
    }
}

/// The pages of one `tools/list`, put together within limits.
struct ToolListing: Sendable {
    /// The request that asked for the page that comes next.
    var pageID = 0
    private var tools: [ToolDefinition] = []
    private var names: Set<String> = []
    private var cursors: Set<String> = []
    private var bytes = 0
    private var pages = 0

    /// What a page brought.
    enum Outcome: Sendable {
        /// There is another page.
        case more(cursor: String)
        /// These are all.
        case whole([ToolDefinition])
        /// The list is not one that can be used.
        case wrong(String)
    }

    /// Takes a page.
    mutating func take(_ message: Envelope, _ source: [UInt8]) -> Outcome {
        guard let range = message.result else {
            let error = message.error.flatMap { Value.tree(source, $0.range) }
            return .wrong(
                "the server refused tools/list: "
                    + (error?["message"]?.stringValue ?? "no readable reason"))
        }
        bytes += range.count
        pages += 1
        guard bytes <= Limit.toolBytes else {
            return .wrong("the list is larger than \(Limit.toolBytes >> 20) MiB")
        }
        guard let result = Value.tree(source, range), let page = result["tools"]?.arrayValue else {
            return .wrong("the answer to tools/list has no readable list of tools")
        }
        for json in page {
            guard let tool = ToolDefinition(json) else {
                return .wrong("a tool lacks a name or an input schema")
            }
            guard names.insert(tool.name).inserted else {
                return .wrong("the tool '\(tool.name)' is listed twice")
            }
            tools.append(tool)
        }
        guard tools.count <= Limit.tools else {
            return .wrong("there are more than \(Limit.tools) tools")
        }
        // An empty cursor is a cursor; only a missing or null one ends the list.
        guard let next = result["nextCursor"], next != .null else { return .whole(tools) }
        guard let cursor = next.stringValue, cursors.insert(cursor).inserted,
            pages < Limit.toolPages
        else { return .wrong("the pages of the list do not end") }
        return .more(cursor: cursor)
    }
}
