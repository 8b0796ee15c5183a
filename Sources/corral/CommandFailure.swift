internal import Control
internal import JSONRPC

/// Why a command did not do what was asked: what to print and the status to leave with.
struct CommandFailure: Error, Equatable {
    /// How the process ends.
    var status: CommandStatus
    /// Lines for standard error, made safe to print; the first begins with `corral: `.
    var lines: [String]
    /// The same as a JSON-RPC error object under `error`.
    var json: JSON

    /// A failure of the command's own: `problem` is a sentence `cannot VERB 'OBJECT': …`.
    init(_ status: CommandStatus, _ problem: String, hint: String? = nil) {
        self.status = status
        lines = ["corral: " + sanitized(problem)]
        if let hint { lines.append("hint: " + sanitized(hint)) }
        var data: JSONObject = ["reason": .string("\(status)")]
        data["hint"] = hint.map(JSON.string)
        json = ["error": ["message": .string(problem), "data": .object(data)]]
    }

    /// An error of the daemon on the way to `action`, a phrase like `call 'time__now'`.
    init(_ failure: Failure, doing action: String) {
        status = CommandStatus(failure)
        lines = ["corral: " + sanitized(Self.sentence(failure, action))]
        lines += (failure.log ?? []).suffix(Limit.logLinesShown).map { "  | " + sanitized($0) }
        if let hint = failure.hint { lines.append("hint: " + sanitized(hint)) }
        json = ["error": failure.json]
    }

    /// A failure that has been told already.
    static func told(_ status: CommandStatus) -> CommandFailure {
        var failure = CommandFailure(status, "")
        failure.lines = []
        return failure
    }

    /// The daemon's message, led by what was attempted, with the reason and the rule's place.
    private static func sentence(_ failure: Failure, _ action: String) -> String {
        var message = failure.message
        if !message.hasPrefix("cannot ") { message = "cannot \(action): \(message)" }
        var notes: [String] = []
        if let reason = failure.reason, !message.contains(reason) { notes.append(reason) }
        if let rule = failure.rule, !message.contains(rule) { notes.append(rule) }
        if let file = failure.file {
            notes.append(failure.line.map { "\(file):\($0)" } ?? file)
        }
        return notes.isEmpty ? message : "\(message) (\(notes.joined(separator: ", ")))"
    }
}
