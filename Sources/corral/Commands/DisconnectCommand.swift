internal import ArgumentParser
internal import Control
internal import JSONRPC

/// `corral disconnect`: stop a server and forget its connection.
struct DisconnectCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "disconnect",
        abstract: "Stop a connection's server and forget it and its credentials.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The connection.")
    var name: String

    func run() throws {
        let result = try client().request(
            ConnectionsRemove.self, NameParams(name: name), doing: "disconnect '\(name)'")
        try answer(result.json) { screen in
            ["disconnected \(screen.paint(sanitized(name), .bold))"]
        }
    }
}
