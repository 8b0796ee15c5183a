internal import ArgumentParser
internal import Control

/// `corral restart`: a fresh server for a connection.
struct RestartCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        abstract: "Stop a connection's server and start it again.",
        discussion: "Calls in flight end as cancelled. The tools are listed anew.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The connection.")
    var name: String

    func run() throws {
        let connection = try client().request(
            ConnectionsRestart.self, NameParams(name: name), doing: "restart '\(name)'",
            waiting: .work)
        try answer(connection.json) { ConnectionText.restarted(connection, $0) }
    }
}
