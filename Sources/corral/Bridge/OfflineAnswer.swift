internal import Control
internal import JSONRPC

/// Answers in the daemon's place while it cannot be reached, so that a host learns why.
enum OfflineAnswer {
    /// The answer to one line, with its line feed; nil for what asks no answer.
    static func answer(_ line: [UInt8], _ reason: CommandFailure) -> [UInt8]? {
        let request: JSON
        do {
            request = try JSON.parse(line)
        } catch {
            return response(nil, Failure(code: -32700, message: "Parse error").json)
        }
        guard request["method"] != nil, let id = request["id"] else { return nil }
        return response(id, error(reason))
    }

    private static func response(_ id: JSON?, _ error: JSON) -> [UInt8] {
        let message: JSON = ["jsonrpc": "2.0", "id": id ?? .null, "error": error]
        return message.serialized() + [0x0A]
    }

    /// The daemon's own refusal as it came, or that the daemon is not there.
    private static func error(_ reason: CommandFailure) -> JSON {
        let error = reason.json["error"]
        if let error, error["code"] != nil { return error }
        return Failure(
            .supervisorUnavailable, error?["message"]?.stringValue ?? "cannot reach the daemon",
            hint: error?["data"]?["hint"]?.stringValue
        ).json
    }
}
