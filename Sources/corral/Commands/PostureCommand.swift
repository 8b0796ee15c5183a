internal import ArgumentParser
internal import Control

/// `corral posture`: what the kernel really enforces for a running server.
struct PostureCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "posture",
        abstract: "Show what the kernel enforces for a running server, beside its policy.",
        discussion: """
            Read back from the kernel, not from the policy. Starts nothing: call a tool of the \
            connection first, or `corral test` it. The exit status is 1 when anything differs.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The connection.")
    var name: String

    func run() throws {
        let result = try client().request(
            ConnectionsPosture.self, NameParams(name: name), doing: "look at '\(name)'")
        try answer(result.json) { PostureText.lines(result, $0) }
        if !result.holds { throw CommandFailure.told(.failed) }
    }
}
