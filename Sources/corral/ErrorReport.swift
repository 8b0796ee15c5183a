internal import ArgumentParser
internal import Control
internal import JSONRPC

/// What is printed and which status is left with when a command ends early.
struct ErrorReport: Equatable {
    /// Text for standard output: help that was asked for, or the error as JSON.
    var output = ""
    /// Text for standard error.
    var complaint = ""
    /// How the process ends.
    var status: CommandStatus

    /// Words an error of ours, of the argument parser or of neither.
    init(_ error: any Error, answersJSON: Bool) {
        if let failure = error as? CommandFailure {
            status = failure.status
            if answersJSON {
                output = failure.lines.isEmpty ? "" : sanitizedJSON(failure.json.text) + "\n"
            } else {
                complaint = failure.lines.map { $0 + "\n" }.joined()
            }
        } else if Corral.exitCode(for: error).isSuccess {
            // Help and version are answers.
            status = .success
            output = Corral.fullMessage(for: error) + "\n"
        } else {
            status = .usage
            complaint = Self.usage(error).map { sanitized($0) + "\n" }.joined()
        }
    }

    /// What is wrong with the words typed and what they may be: two lines, never the whole help.
    private static func usage(_ error: any Error) -> [String] {
        let problem = firstLine(Corral.message(for: error))
        let lines = Corral.fullMessage(for: error).split(separator: "\n").map(String.init)
        let usage = lines.first { $0.hasPrefix("Usage: ") || $0.hasPrefix("USAGE: ") }
        let hint = usage.map { "usage:" + $0.dropFirst(6) } ?? "see `corral --help`"
        return ["corral: " + problem, "hint: " + hint]
    }
}
