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

/// The pages of one list, put together within limits.
struct Listing: Sendable {
    /// Which list it is.
    let kind: ListKind
    /// The request that asked for the page that comes next.
    var pageID = 0
    private var items: [JSON] = []
    private var names: Set<String> = []
    private var cursors: Set<String> = []
    private var bytes = 0
    private var pages = 0

    /// What a page brought.
    enum Outcome: Sendable {
        /// There is another page.
        case more(cursor: String)
        /// These are all.
        case whole([JSON])
        /// The list is not one that can be used.
        case wrong(String)
    }

    init(_ kind: ListKind) { self.kind = kind }

    /// Takes a page.
    mutating func take(_ message: Envelope, _ source: [UInt8]) -> Outcome {
        guard let range = message.result else {
            let error = message.error.flatMap { Value.tree(source, $0.range) }
            return .wrong(
                "the server refused \(kind.method): "
                    + (error?["message"]?.stringValue ?? "no readable reason"))
        }
        bytes += range.count
        pages += 1
        guard bytes <= Limit.toolBytes else {
            return .wrong("the list is larger than \(Limit.toolBytes >> 20) MiB")
        }
        guard let result = Value.tree(source, range), let page = result[kind.member]?.arrayValue
        else {
            return .wrong("the answer to \(kind.method) has no readable list of \(kind.noun)s")
        }
        if let wrong = add(page) { return .wrong(wrong) }
        // An empty cursor is a cursor; only a missing or null one ends the list.
        guard let next = result["nextCursor"], next != .null else { return .whole(items) }
        guard let cursor = next.stringValue, cursors.insert(cursor).inserted,
            pages < Limit.toolPages
        else { return .wrong("the pages of the list do not end") }
        return .more(cursor: cursor)
    }

    /// Takes the entries of a page; the cause when they cannot be used.
    private mutating func add(_ page: [JSON]) -> String? {
        for json in page {
            guard let name = kind.identity(of: json) else {
                let lack = kind == .tools ? "an input schema" : "a usable \(kind.identity)"
                return "a \(kind.noun) lacks a name or \(lack)"
            }
            guard names.insert(name).inserted else {
                return "the \(kind.noun) '\(name)' is listed twice"
            }
            items.append(json)
        }
        let most = kind == .tools ? Limit.tools : Limit.resources
        return items.count <= most ? nil : "there are more than \(most) \(kind.noun)s"
    }
}
