internal import ArgumentParser
internal import Control
internal import JSONRPC

/// `corral tools`: what can be called.
struct ToolsCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "tools", abstract: "List the tools you can call, by connection.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "Only this connection's tools.")
    var connection: String?

    @Flag(help: "All that the servers say, with hidden characters made visible.")
    var raw = false

    func run() throws {
        let client = try client()
        var listing = try ToolListing(client)
        if let connection {
            listing = listing.of(connection)
            if listing.tools.isEmpty {
                // Tells a connection without tools from one that is not there.
                _ = try client.request(
                    ConnectionsGet.self, NameParams(name: connection),
                    doing: "list the tools of '\(connection)'")
            }
        }
        try answer(["tools": .array(listing.tools)]) {
            raw ? ToolText.raw(listing) : ToolText.grouped(listing, $0)
        }
    }
}
