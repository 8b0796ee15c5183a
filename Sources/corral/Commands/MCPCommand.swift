internal import ArgumentParser
internal import Control
internal import Kernel

/// `corral mcp`: what an MCP host starts to reach the daemon.
struct MCPCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp",
        abstract: "Bridge standard input and output to the daemon, for MCP hosts.",
        discussion: """
            Configure it as the command of an MCP server: corral mcp. It offers the tools of all \
            your connections, or of one with --connection.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: ArgumentHelp("Offer only this connection's tools.", valueName: "name"))
    var connection: String?

    func run() throws {
        ignoreBrokenPipes()
        let session = BridgeSession(
            input: try duplicate(0), output: try duplicate(1)
        ) { [global, connection] () throws(CommandFailure) in
            try BridgeLink(path: global.socket, connection: connection)
        }
        try session.run()
    }

    /// A number of the bridge's own for a standard stream.
    private func duplicate(_ number: CInt) throws(CommandFailure) -> Descriptor {
        do {
            return try Console.shared.stream(number)
        } catch {
            throw CommandFailure(.failed, "cannot bridge: standard stream \(number): \(error)")
        }
    }
}
