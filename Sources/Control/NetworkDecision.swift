public import JSONRPC

/// A decision about the network, as its user sees it. Names in it may have been chosen by a tool.
public struct NetworkDecision: ControlValue {
    /// What the sandbox was for.
    public enum Origin: String, Sendable, Equatable, CaseIterable {
        /// A connection's server.
        case connection
        /// A command of a user's own.
        case run
        /// The installation of a card's packages.
        case install
    }

    /// What was asked for.
    public enum Kind: String, Sendable, Equatable, CaseIterable {
        /// A connection.
        case connect
        /// The addresses of a name.
        case resolve
    }

    /// What it is called by, for `corral why`.
    public var id: String
    /// When, in ISO 8601.
    public var time: String
    /// Whose it is: a name or number; empty where nobody knows.
    public var user: String
    /// What the sandbox was for.
    public var origin: Origin
    /// The name of the connection or card, or the command's first word.
    public var subject: String
    /// The policy whose rules held.
    public var policy: String
    /// How many calls were in flight.
    public var calls: Int
    /// The call, when it was exactly one: the id of its row of usage.
    public var call: String?
    /// The tools that were called.
    public var tools: String
    /// What was asked for.
    public var kind: Kind
    /// The name that was asked for or given out; empty without one.
    public var name: String
    /// The address that was dialled; empty for a question.
    public var address: String
    /// The TCP port; 0 for a question.
    public var port: Int
    /// Why it was denied; nil when it was allowed.
    public var reason: NetworkReason?
    /// The set that holds the address; nil when none decided.
    public var set: String?
    /// The entry that granted it, as it is written; empty when none did.
    public var rule: String
    /// Where what decided stands, `FILE:LINE`; empty when nothing did.
    public var place: String
    /// How often the same was decided in a row.
    public var count: Int
    /// How the connection ended; nil while it is open, and for what was none.
    public var ending: NetworkEnd?

    /// Describes a decision.
    public init(
        id: String, time: String, user: String, origin: Origin, subject: String, policy: String,
        calls: Int = 0, call: String? = nil, tools: String = "", kind: Kind, name: String = "",
        address: String = "", port: Int = 0, reason: NetworkReason? = nil, set: String? = nil,
        rule: String = "", place: String = "", count: Int = 1, ending: NetworkEnd? = nil
    ) {
        self.id = id
        self.time = time
        self.user = user
        self.origin = origin
        self.subject = subject
        self.policy = policy
        self.calls = calls
        self.call = call
        self.tools = tools
        self.kind = kind
        self.name = name
        self.address = address
        self.port = port
        self.reason = reason
        self.set = set
        self.rule = rule
        self.place = place
        self.count = count
        self.ending = ending
    }

    /// What was dialled or asked for.
    public var destination: String {
        destinationText(address: address, port: port, name: name)
    }
}

extension NetworkDecision {
    /// Reads a decision.
    public init(json: JSON) throws(ControlError) {
        let fields = try Fields(json, in: "decision")
        var reason: NetworkReason?
        if try fields.optionalString("reason") != nil {
            reason = try fields.choice("reason", of: NetworkReason.self)
        }
        self.init(
            id: try fields.string("id"), time: try fields.string("time"),
            user: try fields.string("user"), origin: try fields.choice("origin", of: Origin.self),
            subject: try fields.string("subject"), policy: try fields.string("policy"),
            calls: try fields.integer("calls"), call: try fields.optionalString("call"),
            tools: try fields.string("tools"), kind: try fields.choice("kind", of: Kind.self),
            name: try fields.string("name"), address: try fields.string("address"),
            port: try fields.integer("port"), reason: reason,
            set: try fields.optionalString("set"), rule: try fields.string("rule"),
            place: try fields.string("place"), count: try fields.integer("count"),
            ending: try fields.optionalValue("ending", as: NetworkEnd.self))
    }

    /// The decision as it is sent.
    public var json: JSON {
        var object: JSONObject = [
            "id": .string(id), "time": .string(time), "user": .string(user),
            "origin": .string(origin.rawValue), "subject": .string(subject),
            "policy": .string(policy), "calls": .integer(calls),
        ]
        object["call"] = call.map(JSON.string)
        object["tools"] = .string(tools)
        object["kind"] = .string(kind.rawValue)
        object["name"] = .string(name)
        object["address"] = .string(address)
        object["port"] = .integer(port)
        object["reason"] = reason.map { .string($0.rawValue) }
        object["set"] = set.map(JSON.string)
        object["rule"] = .string(rule)
        object["place"] = .string(place)
        object["count"] = .integer(count)
        object["ending"] = ending?.json
        return .object(object)
    }
}

/// How a connection ended.
public struct NetworkEnd: ControlValue {
    /// Bytes from the tool.
    public var sent: Int
    /// Bytes to the tool.
    public var received: Int
    /// How long it lasted, in microseconds.
    public var microseconds: Int
    /// Why it ended: `finished`, `reset_by_tool`, `reset_by_remote`, `unreachable`, `idle`, `life`,
    /// `denied`, `sandbox_ended` or `gateway_lost`.
    public var cause: String
    /// What connect(2) said, or 0.
    public var errno: Int

    /// Describes an end.
    public init(sent: Int, received: Int, microseconds: Int, cause: String, errno: Int = 0) {
        self.sent = sent
        self.received = received
        self.microseconds = microseconds
        self.cause = cause
        self.errno = errno
    }

    /// Reads an end.
    public init(json: JSON) throws(ControlError) {
        let fields = try Fields(json, in: "ending")
        self.init(
            sent: try fields.integer("sent"), received: try fields.integer("received"),
            microseconds: try fields.integer("microseconds"), cause: try fields.string("cause"),
            errno: try fields.integer("errno"))
    }

    /// The end as it is sent.
    public var json: JSON {
        [
            "sent": .integer(sent), "received": .integer(received),
            "microseconds": .integer(microseconds), "cause": .string(cause),
            "errno": .integer(errno),
        ]
    }
}
