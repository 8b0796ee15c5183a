import Control
import JSONRPC
import Kernel
import Testing

@testable import corral

@Suite struct CommandStatusTests {
    @Test(arguments: [
        (ErrorCode.notAllowed, CommandStatus.refused), (.limitReached, .refused),
        (.unknownConnection, .notFound), (.unknownCard, .notFound), (.badSetting, .usage),
        (.missingCredential, .usage), (.timeout, .timedOut), (.shuttingDown, .unreachable),
        (.supervisorUnavailable, .unreachable), (.memoryExceeded, .failed), (.busy, .failed),
    ])
    func `each code of the daemon has its status`(code: ErrorCode, status: CommandStatus) {
        #expect(CommandFailure(Failure(code, "m"), doing: "x").status == status)
    }

    @Test func `codes of JSON-RPC count as usage when the params are wrong`() {
        #expect(CommandStatus(Failure(code: -32602, message: "m")) == .usage)
        #expect(CommandStatus(Failure(code: -32601, message: "m")) == .failed)
    }

    @Test func `the page of the command has the table of statuses`() throws {
        var rows = ["| status | meaning | errors |", "|---|---|---|"]
        for status in CommandStatus.allCases {
            let codes = ErrorCode.allCases.filter {
                CommandStatus($0) == status && status != .failed
            }
            let names = codes.map { "`\($0.name)`" }.joined(separator: ", ")
            let errors = status == .failed ? "every other code" : names
            rows.append("| \(status.rawValue) | \(status.meaning) | \(errors) |")
        }
        let table = rows.joined(separator: "\n")
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = try Files.text("/\(root)/docs/cli.md")
        #expect(page.contains("\n\(table)\n"), "docs/cli.md should hold:\n\(table)")
    }
}
