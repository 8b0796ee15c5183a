internal import Configuration
internal import Control
internal import JSONRPC
internal import YAML

/// What the daemon's own reader finds in an admin's files.
struct PolicyReport {
    /// Lines about what is well.
    private(set) var findings: [String] = []
    /// What is not, in the order of files and lines.
    private(set) var mistakes: [Mistake] = []

    /// Checks each file by itself.
    init(files: [String]) {
        for file in files {
            do throws(Mistakes) {
                findings.append("\(file): ok (\(try FileKind.check(file).rawValue))")
            } catch {
                mistakes += error.all
            }
        }
    }

    /// Checks that two directories fit together; those of /etc/corral stand in for nil.
    ///
    /// When both are nil the files must also belong to root, as the daemon demands.
    init(policies: String?, runcards: String?) {
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
            findings = ["ok: " + counts.joined(separator: ", ")]
        } catch {
            mistakes = error.all
        }
    }

    /// The mistakes as `file:line:column: message`, safe to print.
    var complaints: [String] { mistakes.map { sanitized($0.description) } }

    /// The report for programs.
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
