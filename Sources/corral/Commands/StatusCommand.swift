internal import ArgumentParser
internal import Control

/// `corral status`: how the daemon is.
struct StatusCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how the daemon is.")

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let result = try client().request(DaemonStatus.self, Empty(), doing: "show the status")
        try answer(result.json) { StatusText.lines(result, socket: global.socket, $0) }
    }
}
