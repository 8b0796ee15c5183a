public import JSONRPC

/// What the daemon tells about one of the caller's connections.
public struct Connection: ControlValue {
    /// What a connection is doing.
    public enum State: String, Sendable, Equatable, CaseIterable {
        /// Its packages are being installed.
        case installing
        /// Its server has been started and has not answered yet.
        case starting
        /// Its server runs.
        case ready
        /// No server runs; the next call starts it.
        case idle
        /// The last start failed; `failure` says why.
        case failed
    }

    /// The connection's UUID.
    public var id: String
    /// The name its user gave it, and the prefix of its tools.
    public var name: String
    /// The run card it was made from.
    public var card: String
    /// What it is doing.
    public var state: State
    /// Why the last start failed; nil unless `state` is failed.
    public var failure: Failure?
    /// The settings it was registered with.
    public var settings: [String: SettingValue]
    /// The names of its credentials; values are never told.
    public var credentials: [String]
    /// Its tools as they were last listed.
    public var tools: [Tool]
    /// When it was registered, ISO 8601 in UTC: `2026-07-28T12:00:00.000Z`.
    public var createdAt: String
    /// When a tool of it was last called, ISO 8601 in UTC; nil when never.
    public var lastUsed: String?
    /// How many calls its tools have had.
    public var usageCount: Int
    /// How often in a row its server could not be started, or ended before it answered a call.
    public var failures: Int
    /// For how long its server is not started after that; nil when it may be started now.
    public var retryMilliseconds: Int?

    /// Makes a connection's description.
    public init(
        id: String, name: String, card: String, state: State, failure: Failure? = nil,
        settings: [String: SettingValue], credentials: [String], tools: [Tool],
        createdAt: String, lastUsed: String? = nil, usageCount: Int, failures: Int = 0,
        retryMilliseconds: Int? = nil
    ) {
        self.id = id
        self.name = name
        self.card = card
        self.state = state
        self.failure = failure
        self.settings = settings
        self.credentials = credentials
        self.tools = tools
        self.createdAt = createdAt
        self.lastUsed = lastUsed
        self.usageCount = usageCount
        self.failures = failures
        self.retryMilliseconds = retryMilliseconds
    }
}

extension Connection {
    /// Reads a connection's description.
    public init(json: JSON) throws(ControlError) {
        let fields = try Fields(json, in: "connection")
        var failure: Failure?
        if let error = json["failure"] { failure = try Failure(json: error) }
        self.init(
            id: try fields.string("id"), name: try fields.string("name"),
            card: try fields.string("card"), state: try fields.choice("state", of: State.self),
            failure: failure, settings: try fields.settings("settings"),
            credentials: try fields.strings("credentials"),
            tools: try fields.values("tools", as: Tool.self),
            createdAt: try fields.string("createdAt"),
            lastUsed: try fields.optionalString("lastUsed"),
            usageCount: try fields.integer("usageCount"),
            failures: json["failures"]?.intValue ?? 0,
            retryMilliseconds: json["retryMilliseconds"]?.intValue)
    }

    /// The description as it is sent.
    public var json: JSON {
        var object: JSONObject = [
            "id": .string(id), "name": .string(name), "card": .string(card),
            "state": .string(state.rawValue), "settings": encoded(settings),
            "credentials": .array(credentials.map(JSON.string)),
            "tools": .array(tools.map(\.json)), "createdAt": .string(createdAt),
            "usageCount": .integer(usageCount),
        ]
        object["failure"] = failure?.json
        if failures > 0 { object["failures"] = .integer(failures) }
        object["retryMilliseconds"] = retryMilliseconds.map(JSON.integer)
        object["lastUsed"] = lastUsed.map(JSON.string)
        return .object(object)
    }
}
