internal import ArgumentParser
internal import Control

/// `corral logs`: what a server wrote to its standard error.
struct LogsCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show what a connection's server wrote to its log.",
        discussion: """
            With -f goes on with each line as it is written, over restarts of the server, until \
            it is interrupted. With --json each answer is a line of JSON.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The connection.")
    var name: String

    @Option(name: .shortAndLong, help: "How many of the last lines.")
    var number = ConnectionsLogs.linesStandard

    @Flag(name: .shortAndLong, help: "Go on with lines as they come.")
    var follow = false

    func validate() throws {
        guard (1...ConnectionsLogs.linesMax).contains(number) else {
            throw ValidationError("-n must be 1 to \(ConnectionsLogs.linesMax)")
        }
    }

    func run() throws {
        let client = try client()
        var next = try show(client, .init(name: name, lines: number))
        // The daemon answers when there are lines, or with none after a while.
        while follow {
            next = try show(
                client, .init(name: name, lines: ConnectionsLogs.linesMax, after: next))
        }
    }

    /// Prints a piece of the log and answers where the next begins.
    private func show(
        _ client: ControlClient, _ params: ConnectionsLogs.Params
    ) throws(CommandFailure) -> Int {
        let result = try client.request(
            ConnectionsLogs.self, params, doing: "show the log of '\(name)'")
        if result.missed > 0 {
            try Console.shared.complain("corral: \(result.missed) lines came too fast to be kept\n")
        }
        guard params.after == nil || !result.lines.isEmpty else { return result.next }
        try answer(result.json) { _ in result.lines.map { sanitized($0, layout: .block) } }
        return result.next
    }
}
