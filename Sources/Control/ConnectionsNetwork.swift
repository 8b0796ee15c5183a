public import JSONRPC

/// `corral/connections/network`: open connections, and what was decided about the network last or
/// since an earlier answer. When nothing is new, the answer waits for it, at most 20 seconds.
public enum ConnectionsNetwork: ControlMethod {
    /// The method's name.
    public static let method = "corral/connections/network"
    /// Decisions answered when `lines` is absent.
    public static let linesStandard = 20
    /// Most decisions that may be asked for.
    public static let linesMax = 1_000

    /// Whose network, and how much of it.
    public struct Params: ControlValue {
        /// The connection's name; nil for all of the caller's sandboxes, commands and installations
        /// included. Root sees everybody's.
        public var name: String?
        /// How many decisions at most, 1 to `linesMax`.
        public var lines: Int
        /// The `next` of an earlier answer, to go on from there; nil for the last.
        public var after: Int?

        /// Makes params.
        public init(name: String? = nil, lines: Int = linesStandard, after: Int? = nil) {
            self.name = name
            self.lines = lines
            self.after = after
        }

        /// Reads params; numbers outside their bounds are refused.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "params")
            try fields.allowOnly(["name", "lines", "after"])
            name = try fields.optionalString("name")
            lines = try fields.optionalInteger("lines") ?? linesStandard
            guard (1...linesMax).contains(lines) else {
                throw fields.error("lines", "expected 1 to \(linesMax)")
            }
            after = try fields.optionalInteger("after")
            guard (after ?? 0) >= 0 else { throw fields.error("after", "expected 0 or more") }
        }

        /// The params as they are sent.
        public var json: JSON {
            var object: JSONObject = [:]
            object["name"] = name.map(JSON.string)
            object["lines"] = .integer(lines)
            object["after"] = after.map(JSON.integer)
            return .object(object)
        }
    }

    /// An open connection.
    public struct Open: ControlValue {
        /// The id of the decision that allowed it.
        public var id: String
        /// The name of the connection or card, or the command's first word.
        public var subject: String
        /// The name that its address was given out for; empty without one.
        public var name: String
        /// The address.
        public var address: String
        /// The TCP port.
        public var port: Int
        /// Seconds since it was allowed.
        public var seconds: Int
        /// Bytes from the tool so far.
        public var sent: Int
        /// Bytes to the tool so far.
        public var received: Int

        /// Describes an open connection.
        public init(
            id: String, subject: String, name: String, address: String, port: Int, seconds: Int,
            sent: Int, received: Int
        ) {
            self.id = id
            self.subject = subject
            self.name = name
            self.address = address
            self.port = port
            self.seconds = seconds
            self.sent = sent
            self.received = received
        }

        /// Reads an open connection.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "open")
            self.init(
                id: try fields.string("id"), subject: try fields.string("subject"),
                name: try fields.string("name"), address: try fields.string("address"),
                port: try fields.integer("port"), seconds: try fields.integer("seconds"),
                sent: try fields.integer("sent"), received: try fields.integer("received"))
        }

        /// The connection as it is sent.
        public var json: JSON {
            [
                "id": .string(id), "subject": .string(subject), "name": .string(name),
                "address": .string(address), "port": .integer(port),
                "seconds": .integer(seconds), "sent": .integer(sent),
                "received": .integer(received),
            ]
        }

        /// What it is connected to.
        public var destination: String {
            destinationText(address: address, port: port, name: name)
        }
    }

    /// What the network is doing.
    public struct Result: ControlValue {
        /// Whether there is a way out at present; when not, every sandbox is without a network.
        public var available: Bool
        /// Open connections, the oldest first; none of them in an answer to `after`.
        public var open: [Open]
        /// Decisions, the oldest first; one that has changed since `after` comes again.
        public var decisions: [NetworkDecision]
        /// Where the next answer goes on.
        public var next: Int
        /// Decisions that came too fast to be kept, since the daemon started.
        public var missed: Int

        /// Makes an answer.
        public init(
            available: Bool, open: [Open], decisions: [NetworkDecision], next: Int, missed: Int
        ) {
            self.available = available
            self.open = open
            self.decisions = decisions
            self.next = next
            self.missed = missed
        }

        /// Reads an answer.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "result")
            self.init(
                available: try fields.bool("available"),
                open: try fields.values("open", as: Open.self),
                decisions: try fields.values("decisions", as: NetworkDecision.self),
                next: try fields.integer("next"), missed: try fields.integer("missed"))
        }

        /// The answer as it is sent.
        public var json: JSON {
            [
                "available": .bool(available), "open": .array(open.map(\.json)),
                "decisions": .array(decisions.map(\.json)), "next": .integer(next),
                "missed": .integer(missed),
            ]
        }
    }
}
