internal import ArgumentParser
internal import Control
internal import JSONRPC
internal import Kernel

/// `corral call`: one tool call.
struct CallCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Call a tool and print what it answers.",
        discussion: """
            corral call time__get_current_time timezone=Europe/Berlin
            corral call time__get_current_time '{"timezone": "Europe/Berlin"}'
            corral call git__git_status - < arguments.json
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The tool, as `corral tools` names it: connection__tool.")
    var tool: String

    @Argument(
        help: "A JSON object, or name=value words, or - for a JSON object on standard input.")
    var arguments: [String] = []

    func run() throws {
        let client = try client()
        let params: JSON = ["name": .string(tool), "arguments": try typedArguments(client)]
        let result = try call(params, client)
        let readable = ToolResult(result)
        if readable.isError, !global.json {
            try Console.shared.complain(readable.lines.map { $0 + "\n" }.joined())
        } else {
            try answer(result) { _ in readable.lines }
        }
        if readable.isError { throw CommandFailure.told(.failed) }
    }

    /// Calls; a refusal of the params is looked into, since MCP has no code for an unknown tool.
    private func call(
        _ params: JSON, _ client: ControlClient
    ) throws(CommandFailure) -> JSON {
        do throws(CommandFailure) {
            return try client.request(
                "tools/call", params: params, doing: "call '\(tool)'", waiting: .work)
        } catch {
            guard error.json["error"]?["code"]?.intValue == MCPErrorCode.invalidParams else {
                throw error
            }
            let listing = try ToolListing(client)
            throw listing.tool(tool) == nil ? listing.unknown(tool) : error
        }
    }

    private func typedArguments(_ client: ControlClient) throws(CommandFailure) -> JSON {
        guard let first = arguments.first else { return [:] }
        if arguments.count == 1, first == "-" {
            return try ToolArguments.parse(try standardInput(), tool: tool)
        }
        if arguments.count == 1, first.first(where: { !$0.isWhitespace }) == "{" {
            return try ToolArguments.parse(Array(first.utf8), tool: tool)
        }
        let listing = try ToolListing(client)
        guard let known = listing.tool(tool) else { throw listing.unknown(tool) }
        return try ToolArguments.typed(arguments, schema: known["inputSchema"], tool: tool)
    }

    private func standardInput() throws(CommandFailure) -> [UInt8] {
        do {
            return try Console.shared.input.readAll(
                limit: Limit.inputBytes, from: "standard input")
        } catch {
            throw CommandFailure(.usage, "cannot call '\(tool)': arguments: \(error)")
        }
    }
}
