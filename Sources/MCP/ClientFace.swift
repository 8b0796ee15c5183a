public import JSONRPC

/// What a client's message asks for, decided from its bytes and the session so far.
public enum ClientRequest: Sendable {
    /// `server/discover`.
    case discover(RequestID)
    /// `initialize`; answered with this revision.
    case initialize(RequestID, version: String)
    /// `ping`.
    case ping(RequestID)
    /// One of the lists, from where a cursor says.
    case list(RequestID, Era, ListKind, cursor: String?)
    /// Something that a server answers.
    case call(ClientCall)
    /// A `corral/…` method with its params.
    case control(RequestID, Era, method: String, params: JSON, progressToken: RequestID?)
    /// `subscriptions/listen`, of the modern era.
    case listen(RequestID, SubscriptionFilter)
    /// `resources/subscribe`, of the legacy era.
    case subscribe(RequestID, uri: String)
    /// `resources/unsubscribe`, of the legacy era.
    case unsubscribe(RequestID, uri: String)
    /// `logging/setLevel`, of the legacy era.
    case setLogLevel(RequestID, LogLevel)
    /// An answer to the request of the broker's with this number.
    case answered(Int)
    /// The client has lost interest in a request.
    case cancel(RequestID)
    /// Nothing is to be done.
    case nothing
    /// The request is answered with an error.
    case refuse(RequestID?, code: Int, message: String, data: JSON?)
}

/// One client's session: which era each of its requests belongs to, and which are in flight.
///
/// Both eras may be spoken on one connection: a request with the modern `_meta` is modern,
/// `initialize` begins a legacy session, discovering pins nothing.
public struct ClientFace: Sendable {
    /// The revision that `initialize` settled on; nil before.
    public private(set) var legacyVersion: String?
    /// What the legacy session's client said that it can be asked for.
    private var capabilities = ClientCapabilities()
    /// Whether the legacy session has begun, so that the client hears what it did not ask for.
    public private(set) var isInitialized = false
    /// Requests without an answer yet.
    private var inFlight: Set<RequestID> = []

    /// Starts a session.
    public init() {}

    /// How many requests have no answer yet.
    public var inFlightCount: Int { inFlight.count }

    /// Decides what a message asks for; requests other than refused ones are in flight until
    /// `finished`.
    public mutating func receive(_ message: Envelope, _ bytes: [UInt8]) -> ClientRequest {
        switch message.kind {
        case .response:
            guard case .integer(let number) = message.id else { return .nothing }
            return .answered(number)
        case .notification: return notification(message, bytes)
        case .request: break
        }
        guard let id = message.id else { return .nothing }
        guard !inFlight.contains(id) else {
            // Not answered under that id: the answer would be taken for the first request's.
            return .refuse(
                nil, code: ProtocolErrorCode.invalidRequest,
                message: "cannot accept the request: another one with the id "
                    + "\(id.json.text) has no answer yet", data: nil)
        }
        let request =
            message.meta?[.metaProtocolVersion] == nil
            ? legacy(message, bytes, id) : modern(message, bytes, id)
        if case .refuse = request { return request }
        inFlight.insert(id)
        return request
    }

    /// A request has its answer; false when it had one already.
    @discardableResult
    public mutating func finished(_ id: RequestID) -> Bool { inFlight.remove(id) != nil }

    private mutating func notification(_ message: Envelope, _ bytes: [UInt8]) -> ClientRequest {
        if message.method == "notifications/initialized" { isInitialized = legacyVersion != nil }
        guard message.method == "notifications/cancelled",
            let range = message.params?[.requestId], let id = RequestID(message: bytes, range),
            inFlight.contains(id)
        else { return .nothing }
        return .cancel(id)
    }

    /// A request that carries the modern context.
    private func modern(
        _ message: Envelope, _ bytes: [UInt8], _ id: RequestID
    ) -> ClientRequest {
        let version = message.meta?[.metaProtocolVersion].flatMap { Value.string(bytes, $0) }
        guard let version else {
            return .invalidParams(id, "_meta protocolVersion must be a string")
        }
        guard version == ProtocolVersion.modern else {
            return .refuse(
                id, code: ProtocolErrorCode.unsupportedVersion,
                message: "Unsupported protocol version",
                data: [
                    "supported": [.string(ProtocolVersion.modern)], "requested": .string(version),
                ])
        }
        guard let capabilities = message.meta?[.metaClientCapabilities],
            bytes[capabilities.lowerBound] == UInt8(ascii: "{")
        else {
            return .invalidParams(
                id, "_meta lacks io.modelcontextprotocol/clientCapabilities, an object")
        }
        switch message.method {
        case "server/discover": return .discover(id)
        case "subscriptions/listen":
            let filter = message.params?[.notifications].flatMap { Value.tree(bytes, $0) }
            switch SubscriptionFilter.read(filter) {
            case .success(let filter): return .listen(id, filter)
            case .failure(let error): return .invalidParams(id, error.cause)
            }
        default: return common(message, bytes, id, .modern)
        }
    }

    /// A request without that context.
    private mutating func legacy(
        _ message: Envelope, _ bytes: [UInt8], _ id: RequestID
    ) -> ClientRequest {
        switch message.method {
        case "ping": return .ping(id)
        case "initialize":
            let asked = message.params?[.protocolVersion].flatMap { Value.string(bytes, $0) }
            guard let asked else {
                return .invalidParams(id, "initialize lacks protocolVersion, a string")
            }
            let version =
                ProtocolVersion.legacy.contains(asked) ? asked : ProtocolVersion.legacy[0]
            legacyVersion = version
            capabilities = ClientCapabilities(
                message.params?[.capabilities].flatMap { Value.tree(bytes, $0) })
            return .initialize(id, version: version)
        case "server/discover":
            return .invalidParams(
                id, "server/discover lacks _meta io.modelcontextprotocol/protocolVersion")
        case let method where legacyVersion == nil && !method.hasPrefix("corral/"):
            guard
                ListKind(method: method) != nil || ClientCall.Kind(rawValue: method) != nil
                    || ClientFace.sessionMethods.contains(method)
            else { break }
            return .refuse(
                id, code: ProtocolErrorCode.invalidRequest,
                message: "cannot answer '\(method)': the session has not begun (send initialize "
                    + "first, or the _meta of \(ProtocolVersion.modern) with every request)",
                data: nil)
        case let method where ClientFace.sessionMethods.contains(method):
            return session(method, message, bytes, id)
        default: break
        }
        return common(message, bytes, id, .legacy)
    }

    private static let sessionMethods: Set = [
        "resources/subscribe", "resources/unsubscribe", "logging/setLevel",
    ]

    /// Requests that change what a legacy session hears of.
    private func session(
        _ method: String, _ message: Envelope, _ bytes: [UInt8], _ id: RequestID
    ) -> ClientRequest {
        if method == "logging/setLevel" {
            let text = message.params?[.level].flatMap { Value.string(bytes, $0) }
            guard let level = text.flatMap(LogLevel.init) else {
                return .invalidParams(id, "\(method) lacks level, one of those there are")
            }
            return .setLogLevel(id, level)
        }
        guard let uri = message.params?[.uri].flatMap({ Value.string(bytes, $0) }) else {
            return .invalidParams(id, "\(method) lacks uri, a string")
        }
        return method == "resources/subscribe"
            ? .subscribe(id, uri: uri) : .unsubscribe(id, uri: uri)
    }

    /// Methods that both eras have.
    private func common(
        _ message: Envelope, _ bytes: [UInt8], _ id: RequestID, _ era: Era
    ) -> ClientRequest {
        if let kind = ClientCall.Kind(rawValue: message.method) {
            let request = ClientCall.read(kind, message, bytes, id, era)
            guard era == .legacy, case .call(var call) = request else { return request }
            call.asks = capabilities.asks
            return .call(call)
        }
        if let kind = ListKind(method: message.method) {
            guard let range = message.params?[.cursor], !Value.isNull(bytes, range) else {
                return .list(id, era, kind, cursor: nil)
            }
            guard let cursor = Value.string(bytes, range) else {
                return .invalidParams(id, "the cursor must be a string")
            }
            return .list(id, era, kind, cursor: cursor)
        }
        if message.method.hasPrefix("corral/") { return control(message, bytes, id, era) }
        return .refuse(
            id, code: ProtocolErrorCode.methodNotFound, message: "Method not found",
            data: ["method": .string(message.method)])
    }

    private func control(
        _ message: Envelope, _ bytes: [UInt8], _ id: RequestID, _ era: Era
    ) -> ClientRequest {
        var params: JSON = [:]
        if let range = message.params?.range {
            do throws(JSONError) {
                params = try JSON.parse(bytes, in: range)
            } catch {
                return .invalidParams(id, "the params cannot be read: \(error.reason.rawValue)")
            }
        }
        let token = message.meta?[.progressToken].flatMap { RequestID(message: bytes, $0) }
        return .control(
            id, era, method: message.method, params: params, progressToken: token)
    }
}

extension ClientRequest {
    /// An error about the params.
    static func invalidParams(_ id: RequestID, _ cause: String) -> ClientRequest {
        .refuse(
            id, code: ProtocolErrorCode.invalidParams, message: "Invalid params: \(cause)",
            data: nil)
    }
}
