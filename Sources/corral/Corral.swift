internal import ArgumentParser
internal import Control
internal import Kernel

/// The command line: parse what was typed, run it, leave with a status that says how it went.
@main
struct Corral: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "corral",
        abstract: "Connect MCP tool servers, each in its own sandbox, and call their tools.",
        discussion: """
            Every subcommand takes --json (the answer as JSON) and --socket PATH (the daemon's \
            control socket; also CORRAL_SOCKET).
            """,
        version: Release.version,
        groupedSubcommands: [
            CommandGroup(
                name: "Connections",
                subcommands: [
                    ConnectCommand.self, ListCommand.self, TestCommand.self,
                    PostureCommand.self, LogsCommand.self, RestartCommand.self,
                    DisconnectCommand.self, CardsCommand.self,
                ]),
            CommandGroup(
                name: "Network",
                subcommands: [
                    NetCommand.self, WhyCommand.self,
                ]),
            CommandGroup(
                name: "Tools", subcommands: [ToolsCommand.self, CallCommand.self, MCPCommand.self]),
            CommandGroup(name: "Sandbox", subcommands: [RunCommand.self]),
            CommandGroup(
                name: "Daemon",
                subcommands: [
                    StatusCommand.self, DoctorCommand.self, WhoAmICommand.self, PolicyCommand.self,
                    ReloadCommand.self,
                ]),
        ])

    static func main() {
        let words = GlobalOptions.last(in: Array(CommandLine.arguments.dropFirst()))
        var answersJSON = false
        do {
            var command = try parseAsRoot(words)
            answersJSON = (command as? any ClientCommand)?.global.json ?? false
            try command.run()
        } catch {
            var report = ErrorReport(error, answersJSON: answersJSON)
            if words.first == RunCommand.configuration.commandName { report.status.meansRun() }
            leave(report)
        }
    }

    /// Says what went wrong, or shows the help that was asked for, and ends the process.
    private static func leave(_ report: ErrorReport) -> Never {
        do {
            try Console.shared.print(report.output)
            try Console.shared.complain(report.complaint)
        } catch {
            // Nobody reads any more; the status still tells.
        }
        Surroundings.leave(report.status.rawValue)
    }
}
