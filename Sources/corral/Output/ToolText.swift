internal import Control
internal import JSONRPC

/// Tool listings in words; everything in them was written by servers.
enum ToolText {
    /// Names and first lines, under their connections.
    static func grouped(_ listing: ToolListing, _ screen: Screen) -> [String] {
        guard !listing.tools.isEmpty else {
            return ["no tools; `corral connect CARD` brings some, `corral cards` shows the cards"]
        }
        var lines: [String] = []
        for (connection, tools) in groups(listing) {
            if !lines.isEmpty { lines.append("") }
            lines.append(screen.paint(sanitized(connection), .bold))
            var table = Table(indent: 2)
            for tool in tools {
                let text = tool["description"]?.stringValue ?? tool["title"]?.stringValue
                table.add(.init(name(tool)), .init(firstLine(text), .dim))
            }
            lines += table.lines(screen)
        }
        return lines
    }

    /// Everything a server says about each tool.
    static func raw(_ listing: ToolListing) -> [String] {
        listing.tools.map { tool in
            var rest = tool
            rest["name"] = nil
            rest["description"] = nil
            var lines = [sanitized(name(tool))]
            for line in (tool["description"]?.stringValue ?? "").split(separator: "\n") {
                lines.append("  " + sanitized(String(line)))
            }
            let json = prettyJSON(rest).split(separator: "\n").map { "  " + $0 }
            return (lines + json).joined(separator: "\n")
        }
    }

    /// The tools under their connections, in the order of the listing.
    private static func groups(
        _ listing: ToolListing
    ) -> [(connection: String, tools: [JSON])] {
        var groups: [(connection: String, tools: [JSON])] = []
        var places: [String: Int] = [:]
        for tool in listing.tools {
            let connection = ToolListing.connection(name(tool))
            let place = places[connection] ?? groups.count
            if place == groups.count {
                places[connection] = place
                groups.append((connection, []))
            }
            groups[place].tools.append(tool)
        }
        return groups
    }

    private static func name(_ tool: JSON) -> String {
        tool["name"]?.stringValue ?? ""
    }
}
