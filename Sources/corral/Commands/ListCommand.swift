internal import ArgumentParser
internal import Control

/// `corral list`: the caller's connections.
struct ListCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List your connections.")

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let result = try client().request(
            ConnectionsList.self, Empty(), doing: "list connections")
        try answer(result.json) { ConnectionText.list(result.connections, $0) }
    }
}
