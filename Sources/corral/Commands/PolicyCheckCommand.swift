internal import ArgumentParser
internal import Control

/// `corral policy check`: the daemon's own reader on files that it has not been given yet.
struct PolicyCheckCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read policies, run cards and the rest as the daemon would.",
        discussion: """
            With files, checks each by itself. With directories, or with nothing (then \
            /etc/corral), checks that they fit together; /etc/corral must also belong to root. \
            Every mistake is told as file:line:column, and the exit status is 7 if there is one.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: ArgumentHelp("The directory of policies.", valueName: "dir"))
    var policies: String?

    @Option(help: ArgumentHelp("The directory of run cards.", valueName: "dir"))
    var runcards: String?

    @Argument(help: "Files to check one by one.")
    var files: [String] = []

    func validate() throws {
        guard files.isEmpty || (policies == nil && runcards == nil) else {
            throw ValidationError("give files or directories, not both")
        }
    }

    func run() throws {
        let report =
            files.isEmpty
            ? PolicyReport(policies: policies, runcards: runcards) : PolicyReport(files: files)
        if report.mistakes.isEmpty || global.json {
            try answer(report.json) { _ in report.findings.map { sanitized($0) } }
        } else {
            try Console.shared.complain(report.complaints.map { $0 + "\n" }.joined())
        }
        if !report.mistakes.isEmpty { throw CommandFailure.told(.configuration) }
    }
}
