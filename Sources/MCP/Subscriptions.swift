public import JSONRPC

/// What a client wants to hear of without asking again.
public struct SubscriptionFilter: Sendable, Equatable {
    /// The lists whose changes it wants to hear of: tools, prompts, resources.
    public var lists: Set<ListKind> = []
    /// The resources whose changes it wants to hear of, by URI.
    public var resources: [String] = []

    /// A filter that lets nothing through.
    public init() {}

    /// Reads `notifications` of a `subscriptions/listen`; the cause when it cannot be used.
    static func read(_ json: JSON?) -> Result<SubscriptionFilter, InvalidFilter> {
        guard let json, json.objectValue != nil else {
            return .failure(InvalidFilter("it lacks notifications, an object"))
        }
        var filter = SubscriptionFilter()
        for (kind, name) in members where json[name]?.boolValue == true {
            filter.lists.insert(kind)
        }
        guard let list = json[uris] else { return .success(filter) }
        guard let uris = list.arrayValue?.map(\.stringValue), uris.allSatisfy({ $0 != nil }) else {
            return .failure(InvalidFilter("resourceSubscriptions must be a list of URIs"))
        }
        guard uris.count <= Limit.subscriptions else {
            return .failure(
                InvalidFilter("there are more than \(Limit.subscriptions) resources in it"))
        }
        filter.resources = uris.compactMap { $0 }
        return .success(filter)
    }

    /// The filter as a message has it.
    public var json: JSON {
        var object: JSONObject = [:]
        for (kind, name) in SubscriptionFilter.members where lists.contains(kind) {
            object[name] = true
        }
        if !resources.isEmpty {
            object[SubscriptionFilter.uris] = .array(resources.map(JSON.string))
        }
        return .object(object)
    }

    private static let members = [
        (ListKind.tools, "toolsListChanged"), (.prompts, "promptsListChanged"),
        (.resources, "resourcesListChanged"),
    ]
    private static let uris = "resourceSubscriptions"

    /// Why a filter cannot be used.
    struct InvalidFilter: Error {
        let cause: String
        init(_ cause: String) { self.cause = cause }
    }
}

/// How grave a log message is, least first.
public enum LogLevel: String, Sendable, Comparable, CaseIterable {
    /// The levels of syslog (RFC 5424).
    case debug, info, notice, warning, error, critical, alert, emergency

    /// Whether one is less grave than the other.
    public static func < (one: LogLevel, other: LogLevel) -> Bool { one.rank < other.rank }

    private var rank: Int { LogLevel.allCases.firstIndex(of: self) ?? 0 }
}

/// What the broker tells clients of its own accord.
public enum Notices {
    /// Tells that a list has changed; `listen` is the request that asked for it, none in the legacy
    /// era.
    public static func changed(
        _ kind: ListKind, listen: RequestID?, into out: inout LineWriter
    ) {
        let method = "notifications/\(kind.rawValue)/list_changed"
        out.notification(method, listen.map { ["_meta": stamp($0)] })
    }

    /// Tells that a resource has changed.
    public static func updated(
        _ uri: String, listen: RequestID?, into out: inout LineWriter
    ) {
        var params: JSON = ["uri": .string(uri)]
        if let listen { params["_meta"] = stamp(listen) }
        out.notification("notifications/resources/updated", params)
    }

    /// Says what of a `subscriptions/listen` is honoured.
    public static func acknowledged(
        _ filter: SubscriptionFilter, listen: RequestID, into out: inout LineWriter
    ) {
        out.notification(
            "notifications/subscriptions/acknowledged",
            ["_meta": stamp(listen), "notifications": filter.json])
    }

    /// Ends a `subscriptions/listen` from this side, in both ways that clients may wait for.
    public static func ended(listen: RequestID, into out: inout LineWriter) {
        out.result(listen, ["resultType": "complete", "_meta": stamp(listen)])
        out.notification("notifications/cancelled", ["requestId": listen.json])
    }

    /// Hands on a server's log message under its connection's name; nothing when it is none.
    public static func message(
        _ message: Envelope, _ bytes: [UInt8], level: LogLevel, connection: String,
        into out: inout LineWriter
    ) {
        guard let data = message.params?[.data] else { return }
        let logger = message.params?[.logger].flatMap { Value.string(bytes, $0) }
        out.text("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{")
        out.text("\"level\":\"\(level.rawValue)\",\"logger\":")
        out.string(logger.map { "\(connection)/\($0)" } ?? connection)
        out.text(",\"data\":")
        out.splice(bytes, data, hasReturns: message.hasReturns)
        out.text("}}\n")
    }

    /// The level of a server's log message; nil when it is none that is known.
    public static func level(_ message: Envelope, _ bytes: [UInt8]) -> LogLevel? {
        message.params?[.level].flatMap { Value.string(bytes, $0) }.flatMap(LogLevel.init)
    }

    /// The text of a server's log message, for people.
    public static func text(_ message: Envelope, _ bytes: [UInt8]) -> String {
        guard let data = message.params?[.data] else { return "" }
        return Value.string(bytes, data) ?? String(decoding: bytes[data], as: UTF8.self)
    }

    private static func stamp(_ listen: RequestID) -> JSON {
        [Key.metaSubscriptionId.spelling: listen.json]
    }
}
