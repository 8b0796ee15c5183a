public import JSONRPC

/// What the network refused while a call ran: in the `_meta` of its result, in the data of its
/// error.
public struct CallNetwork: Sendable, Equatable {
    /// The name under which it is told.
    public static let key = "dev.corral/network"

    /// One refusal.
    public struct Denied: Sendable, Equatable {
        /// What `corral why` explains it under.
        public var id: String
        /// What was dialled, `169.254.169.254:80`, or the name that was asked for.
        public var destination: String
        /// The name that the address was given out for; empty without one.
        public var name: String
        /// Why.
        public var reason: NetworkReason
        /// The set that holds the address; nil when none decided.
        public var set: String?
        /// The rule that decided; nil when none did.
        public var rule: String?
        /// The file it stands in.
        public var file: String?
        /// Its line in `file`, from 1.
        public var line: Int?

        /// Describes a refusal.
        public init(
            id: String, destination: String, name: String = "", reason: NetworkReason,
            set: String? = nil, rule: String? = nil, file: String? = nil, line: Int? = nil
        ) {
            self.id = id
            self.destination = destination
            self.name = name
            self.reason = reason
            self.set = set
            self.rule = rule
            self.file = file
            self.line = line
        }
    }

    /// The refusals in their order, as far as they are kept.
    public var denied: [Denied]
    /// Refusals beyond those.
    public var more: Int
    /// Whether other calls of the same server were in flight: it may have been for one of them.
    public var shared: Bool
    /// Whether the way out was gone for a while.
    public var unavailable: Bool

    /// States what was refused; nothing by default.
    public init(
        denied: [Denied] = [], more: Int = 0, shared: Bool = false, unavailable: Bool = false
    ) {
        self.denied = denied
        self.more = more
        self.shared = shared
        self.unavailable = unavailable
    }

    /// Whether there is nothing to tell.
    public var isEmpty: Bool { denied.isEmpty && more == 0 && !unavailable }

    /// The same for people, one line each, safe to print.
    public var lines: [String] {
        var lines = denied.map(\.text)
        if more > 0 { lines.append("network_denied: \(more) more, see `corral net`") }
        if unavailable {
            lines.append("network_unavailable: the way out of the sandbox was gone meanwhile")
        }
        return lines
    }
}

extension CallNetwork.Denied {
    /// `network_denied: 169.254.169.254:80 (metadata), policies/default.yaml:21, corral why 8f3a`.
    public var text: String {
        var text = "network_denied: \(sanitized(destination))"
        if !name.isEmpty, name != destination { text += " for \(sanitized(name))" }
        text += " (\(set ?? reason.short))"
        if let file { text += ", \(sanitized(file))" + (line.map { ":\($0)" } ?? "") }
        return id.isEmpty ? text : text + ", corral why \(id)"
    }

    var json: JSON {
        var object: JSONObject = ["id": .string(id), "destination": .string(destination)]
        if !name.isEmpty { object["name"] = .string(name) }
        object["reason"] = .string(reason.rawValue)
        object["set"] = set.map(JSON.string)
        object["rule"] = rule.map(JSON.string)
        object["file"] = file.map(JSON.string)
        object["line"] = line.map(JSON.integer)
        return .object(object)
    }

    init?(json: JSON) {
        guard let id = json["id"]?.stringValue,
            let destination = json["destination"]?.stringValue,
            let reason = json["reason"]?.stringValue.flatMap(NetworkReason.init)
        else { return nil }
        self.init(
            id: id, destination: destination, name: json["name"]?.stringValue ?? "",
            reason: reason, set: json["set"]?.stringValue, rule: json["rule"]?.stringValue,
            file: json["file"]?.stringValue, line: json["line"]?.intValue)
    }
}

extension CallNetwork {
    /// Reads what was refused; nil for anything else, because an error must reach its reader.
    public init?(json: JSON) {
        guard let denied = json["denied"]?.arrayValue, let more = json["more"]?.intValue,
            let shared = json["shared"]?.boolValue,
            let unavailable = json["unavailable"]?.boolValue
        else { return nil }
        self.init(
            denied: denied.compactMap(Denied.init), more: more, shared: shared,
            unavailable: unavailable)
    }

    /// As it is sent.
    public var json: JSON {
        [
            "denied": .array(denied.map(\.json)), "more": .integer(more), "shared": .bool(shared),
            "unavailable": .bool(unavailable),
        ]
    }

    /// The member that tells it.
    public var member: String { "\"\(Self.key)\":\(json.text)" }
}
