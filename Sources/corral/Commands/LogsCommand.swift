internal import ArgumentParser
internal import Control

/// `corral logs`: what a server wrote to its standard error.
struct LogsCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show what a connection's server wrote to its log.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The connection.")
    var name: String

    @Option(name: .shortAndLong, help: "How many of the last lines.")
    var number = ConnectionsLogs.linesStandard

    func validate() throws {
        guard (1...ConnectionsLogs.linesMax).contains(number) else {
            throw ValidationError("-n must be 1 to \(ConnectionsLogs.linesMax)")
        }
    }

    func run() throws {
        let result = try client().request(
            ConnectionsLogs.self, .init(name: name, lines: number),
            doing: "show the log of '\(name)'")
        try answer(result.json) { _ in result.lines.map { sanitized($0, layout: .block) } }
    }
}
