public import JSONRPC

/// A JSON-RPC error as Corral sends and reads it: what failed, why, by which rule, what to do.
public struct Failure: Error, ControlValue, CustomStringConvertible {
    /// JSON-RPC's `error.code`: an `ErrorCode`, or a negative code of JSON-RPC or MCP.
    public var code: Int
    /// One line: `cannot VERB 'OBJECT': STEP: CAUSE`.
    public var message: String
    /// The id under which the daemon remembers this refusal.
    public var id: String?
    /// The name of the code: `memory_exceeded`.
    public var reason: String?
    /// The rule that decided.
    public var rule: String?
    /// The file the rule stands in.
    public var file: String?
    /// The rule's line in `file`, from 1.
    public var line: Int?
    /// The step of a launch that failed.
    public var step: String?
    /// The system's number for why it failed (errno(3)).
    public var errno: Int?
    /// What to do, in one line.
    public var hint: String?
    /// The last lines of the server's log, oldest first.
    public var log: [String]?
    /// Where the beginning of an answer can be read that was too large.
    public var resource: String?
    /// What the call used that failed, when one was under way.
    public var usage: CallUsage?
    /// What the network refused to the call that failed, when there is anything to tell.
    public var network: CallNetwork?

    /// Makes a failure of a known kind; without `hint` the code's own holds.
    public init(
        _ code: ErrorCode, _ message: String, id: String? = nil, rule: String? = nil,
        file: String? = nil, line: Int? = nil, hint: String? = nil, log: [String]? = nil
    ) {
        self.init(code: code.rawValue, message: message)
        self.reason = code.name
        self.id = id
        self.rule = rule
        self.file = file
        self.line = line
        self.hint = hint ?? code.hint
        self.log = log
    }

    /// Makes a failure with a code of JSON-RPC or MCP and nothing but a message.
    public init(code: Int, message: String) {
        self.code = code
        self.message = message
    }

    /// The known kind, or nil for codes of JSON-RPC and MCP.
    public var known: ErrorCode? { ErrorCode(rawValue: code) }

    /// The message, then the hint in parentheses.
    public var description: String {
        guard let hint else { return message }
        return "\(message) (\(hint))"
    }
}

extension Failure {
    /// Reads a JSON-RPC error object; members of `data` that do not fit are left out, because an
    /// error must reach its reader even when a server wrote it.
    public init(json: JSON) throws(ControlError) {
        let fields = try Fields(json, in: "error")
        self.init(code: try fields.integer("code"), message: try fields.string("message"))
        let data = json["data"]
        id = data?["id"]?.stringValue
        reason = data?["reason"]?.stringValue
        rule = data?["rule"]?.stringValue
        file = data?["file"]?.stringValue
        line = data?["line"]?.intValue
        step = data?["step"]?.stringValue
        errno = data?["errno"]?.intValue
        hint = data?["hint"]?.stringValue
        log = data?["log"]?.arrayValue?.compactMap(\.stringValue)
        resource = data?["resource"]?.stringValue
        usage = data?[CallUsage.key].flatMap(CallUsage.init)
        network = data?[CallNetwork.key].flatMap(CallNetwork.init)
    }

    /// The failure as a JSON-RPC error object; `data` is left out when it would be empty.
    public var json: JSON {
        var data: JSONObject = [:]
        data["id"] = id.map(JSON.string)
        data["reason"] = reason.map(JSON.string)
        data["rule"] = rule.map(JSON.string)
        data["file"] = file.map(JSON.string)
        data["line"] = line.map(JSON.integer)
        data["step"] = step.map(JSON.string)
        data["errno"] = errno.map(JSON.integer)
        data["hint"] = hint.map(JSON.string)
        data["log"] = log.map { .array($0.map(JSON.string)) }
        data["resource"] = resource.map(JSON.string)
        data[CallUsage.key] = usage?.json
        data[CallNetwork.key] = network?.json
        var error: JSONObject = ["code": .integer(code), "message": .string(message)]
        if !data.members.isEmpty { error["data"] = .object(data) }
        return .object(error)
    }
}
