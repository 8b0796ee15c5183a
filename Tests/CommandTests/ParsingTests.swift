import ArgumentParser
import Testing

@testable import corral

@Suite struct ParsingTests {
    private func parsed<Command: ParsableCommand>(
        _ words: String..., as type: Command.Type
    ) throws -> Command {
        try #require(try Corral.parseAsRoot(GlobalOptions.last(in: words)) as? Command)
    }

    @Test func `connect takes settings, credentials and a command after two dashes`() throws {
        let connect = try parsed(
            "connect", "custom", "--name", "mine", "--set", "a=1", "--set", "b=x=y",
            "--credential", "token", "--", "/bin/server", "--stdio", "-x",
            as: ConnectCommand.self)
        #expect(connect.card == "custom")
        #expect(connect.name == "mine")
        #expect(connect.settings == ["a=1", "b=x=y"])
        #expect(connect.credentials == ["token"])
        #expect(connect.command == ["/bin/server", "--stdio", "-x"])
    }

    @Test func `the global options may stand before or behind the subcommand`() throws {
        for words in [
            ["--json", "--socket", "/s", "list"], ["list", "--json", "--socket", "/s"],
            ["--socket=/s", "list", "--json"],
        ] {
            let command = try Corral.parseAsRoot(GlobalOptions.last(in: words))
            let list = try #require(command as? ListCommand)
            #expect(list.global.json)
            #expect(list.global.socket == "/s")
        }
        let check = try parsed("--json", "policy", "check", "f", as: PolicyCheckCommand.self)
        #expect(check.global.json && check.files == ["f"])
        #expect(GlobalOptions.last(in: ["--socket"]) == ["--socket"])
        #expect(GlobalOptions.last(in: ["call", "--", "--json"]) == ["call", "--", "--json"])
    }

    @Test func `call takes the words of its arguments as they are`() throws {
        let call = try parsed("call", "a__b", "x=1", "y=-2", as: CallCommand.self)
        #expect(call.tool == "a__b")
        #expect(call.arguments == ["x=1", "y=-2"])
        #expect(try parsed("call", "a__b", "-", as: CallCommand.self).arguments == ["-"])
    }

    @Test func `the other subcommands are there`() throws {
        #expect(try parsed("tools", "git", "--raw", as: ToolsCommand.self).raw)
        #expect(try parsed("logs", "git", "-n", "5", as: LogsCommand.self).number == 5)
        #expect(try parsed("logs", "git", "-f", as: LogsCommand.self).follow)
        #expect(try parsed("test", "git", as: TestCommand.self).name == "git")
        #expect(try parsed("posture", "git", as: PostureCommand.self).name == "git")
        #expect(try parsed("restart", "git", as: RestartCommand.self).name == "git")
        #expect(try parsed("doctor", "--config", "f", as: DoctorCommand.self).config == "f")
        #expect(try parsed("disconnect", "git", as: DisconnectCommand.self).name == "git")
        #expect(try parsed("cards", as: CardsCommand.self).name == nil)
        #expect(try parsed("mcp", "--connection", "a", as: MCPCommand.self).connection == "a")
        _ = try parsed("status", as: StatusCommand.self)
        _ = try parsed("whoami", as: WhoAmICommand.self)
    }

    @Test(arguments: [
        ["bogus"], ["connect"], ["logs", "x", "-n", "0"], ["logs", "x", "-n", "10001"],
        ["list", "--colour"], ["policy", "check", "f", "--policies", "d"], ["tools", "a", "b"],
    ])
    func `words that make no sense end with status 2`(words: [String]) throws {
        let error = try #require(throws: (any Error).self) {
            try Corral.parseAsRoot(words)
        }
        let report = ErrorReport(error, answersJSON: false)
        #expect(report.status == .usage)
        #expect(report.output.isEmpty)
        let lines = report.complaint.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("corral: "))
        #expect(lines[1].lowercased().hasPrefix("hint: usage: corral"))
    }

    @Test(arguments: [["--help"], ["connect", "--help"], ["--version"]])
    func `help and version are answers`(words: [String]) throws {
        let error: any Error
        do {
            var command = try Corral.parseAsRoot(words)
            error = try #require(throws: (any Error).self) { try command.run() }
        } catch let thrown {
            error = thrown
        }
        let report = ErrorReport(error, answersJSON: false)
        #expect(report.status == .success)
        #expect(!report.output.isEmpty && report.complaint.isEmpty)
    }
}
