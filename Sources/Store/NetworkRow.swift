/// One decision about the network as the ledger keeps it: a row of `mcp_network`.
public struct NetworkRow: Sendable, Equatable {
    /// What the sandbox was for.
    public enum Origin: String, Sendable, Equatable, CaseIterable {
        /// A connection's server.
        case connection
        /// A command of a user's own.
        case run
        /// The installation of a card's packages.
        case install
    }

    /// The decision's number, which is never used again.
    public var number: Int
    /// What people call it by: lower-case hexadecimal digits, which are never used again.
    public var id: String
    /// Rises with every row and every change of one; what was seen last, to go on from there.
    public var changed: Int
    /// When it was decided.
    public var time: Timestamp
    /// Whose it is: the uid in decimal, or empty where nobody knows.
    public var user: String
    /// What the sandbox was for.
    public var origin: Origin
    /// The name of the connection or card, or the command's first word.
    public var subject: String
    /// The connection, when it was one's.
    public var connection: UUID?
    /// The policy whose rules held.
    public var policy: String
    /// The supervisor's number of the sandbox.
    public var sandbox: Int
    /// The call in flight, when it was exactly one: the `id` of its row of `mcp_tool_usage`.
    public var call: UUID?
    /// How many calls were in flight.
    public var calls: Int
    /// The tools that were called, by name.
    public var tools: String
    /// What was asked for: `connect` or `resolve`.
    public var kind: String
    /// The name that was asked for or given out; empty without one.
    public var name: String
    /// The address that was dialled; empty for a question.
    public var address: String
    /// The TCP port; 0 for a question.
    public var port: Int
    /// Why it was denied, by name; nil when it was allowed.
    public var reason: String?
    /// The set that names the address; nil when none decided.
    public var set: String?
    /// The entry that granted it, as it is written; empty when none did.
    public var rule: String
    /// Where what decided stands, `FILE:LINE`; empty when nothing did.
    public var place: String
    /// How often the same was decided in a row.
    public var count: Int
    /// How its connection ended; nil while it is open, and for what was no connection.
    public var ending: NetworkEnding?

    /// Makes a row of one decision.
    public init(
        number: Int, id: String, changed: Int, time: Timestamp, user: String, origin: Origin,
        subject: String, connection: UUID? = nil, policy: String, sandbox: Int, call: UUID? = nil,
        calls: Int = 0, tools: String = "", kind: String, name: String, address: String,
        port: Int, reason: String? = nil, set: String? = nil, rule: String = "",
        place: String = "", count: Int = 1, ending: NetworkEnding? = nil
    ) {
        self.number = number
        self.id = id
        self.changed = changed
        self.time = time
        self.user = user
        self.origin = origin
        self.subject = subject
        self.connection = connection
        self.policy = policy
        self.sandbox = sandbox
        self.call = call
        self.calls = calls
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
}

/// How a connection that was allowed ended.
public struct NetworkEnding: Sendable, Equatable {
    /// Bytes from the tool.
    public var sent: Int
    /// Bytes to the tool.
    public var received: Int
    /// How long it lasted, in microseconds.
    public var microseconds: Int
    /// Why it ended, by name: `finished`, `unreachable`, …
    public var cause: String
    /// What connect(2) said, or 0.
    public var errno: Int

    /// Describes an ending.
    public init(sent: Int, received: Int, microseconds: Int, cause: String, errno: Int = 0) {
        self.sent = sent
        self.received = received
        self.microseconds = microseconds
        self.cause = cause
        self.errno = errno
    }
}

/// Something to note about the network.
public enum NetworkChange: Sendable, Equatable {
    /// A decision.
    case decided(NetworkRow)
    /// The same was decided again so often in all.
    case repeated(number: Int, changed: Int, count: Int)
    /// The connection of a decision has ended.
    case ended(number: Int, changed: Int, NetworkEnding)
    /// A day's bytes of an owner have grown; the day is counted from 1970, UTC.
    case carried(owner: String, day: Int, bytes: Int)
}
