internal import ArgumentParser
internal import Configuration
internal import Control
internal import JSONRPC
internal import YAML

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
        let report = files.isEmpty ? directories() : self.report(files)
        if report.mistakes.isEmpty || global.json {
            try answer(report.json) { _ in report.findings.map { sanitized($0) } }
        } else {
            let lines = report.mistakes.map { sanitized($0.description) + "\n" }
            try Console.shared.complain(lines.joined())
        }
        if !report.mistakes.isEmpty { throw CommandFailure.told(.configuration) }
    }

    /// What a check found.
    private struct Report {
        /// Lines about what is well.
        var findings: [String] = []
        /// What is not.
        var mistakes: [Mistake] = []

        var json: JSON {
            [
                "findings": .array(findings.map(JSON.string)),
                "mistakes": .array(
                    mistakes.map {
                        [
                            "file": .string($0.place.file), "line": .integer($0.place.line),
                            "column": .integer($0.place.column), "message": .string($0.message),
                        ]
                    }),
            ]
        }
    }

    private func report(_ files: [String]) -> Report {
        var report = Report()
        for file in files {
            do throws(Mistakes) {
                let kind = try FileKind.check(file)
                report.findings.append("\(file): ok (\(kind.rawValue))")
            } catch {
                report.mistakes += error.all
            }
        }
        return report
    }

    private func directories() -> Report {
        let isInstalled = policies == nil && runcards == nil
        do throws(Mistakes) {
            let set = try PolicySet.load(
                policies: policies ?? "/etc/corral/policies",
                runcards: runcards ?? "/etc/corral/runcards", isInstalled ? .owners : .anybody)
            let counts = [
                (set.policies.count, "policy", "policies"),
                (set.profiles.count, "system call profile", "system call profiles"),
                (set.cards.count, "run card", "run cards"),
            ].map { count, one, many in "\(count) \(count == 1 ? one : many)" }
            return Report(findings: ["ok: " + counts.joined(separator: ", ")])
        } catch {
            return Report(mistakes: error.all)
        }
    }
}
