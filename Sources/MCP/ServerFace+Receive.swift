public import JSONRPC

extension ServerFace {
    /// Decides what a server's message means, and writes what has to be answered or asked next.
    public mutating func receive(
        _ message: Envelope, _ bytes: [UInt8], into out: inout LineWriter
    ) -> ServerEvent {
        switch message.kind {
        case .request:
            return asked(message, into: &out)
        case .notification: return notification(message, bytes)
        case .response: return response(message, bytes, into: &out)
        }
    }

    /// A server's request: pings are answered, what it may ask of clients is theirs to answer, and
    /// nothing else was declared. The modern era has no such requests.
    private func asked(_ message: Envelope, into out: inout LineWriter) -> ServerEvent {
        guard let id = message.id, verdict != .modern else { return .nothing }
        if message.method == "ping" {
            out.result(id, [:])
        } else if state == .ready, let kind = Ask.Kind(rawValue: message.method),
            mayAsk.contains(kind)
        {
            return .asked(id, kind)
        } else {
            out.error(
                id, code: ProtocolErrorCode.methodNotFound,
                message: "Method not found: this client declared no capability for it")
        }
        return .nothing
    }

    private func notification(_ message: Envelope, _ bytes: [UInt8]) -> ServerEvent {
        switch message.method {
        case "notifications/progress":
            guard let range = message.params?[.progressToken],
                case .integer(let number) = RequestID(message: bytes, range)
            else { return .nothing }
            return .progress(number)
        default: return unasked(message, bytes)
        }
    }

    private mutating func response(
        _ message: Envelope, _ bytes: [UInt8], into out: inout LineWriter
    ) -> ServerEvent {
        guard case .integer(let id) = message.id else { return .nothing }
        switch state {
        case .probing(id, let isRetry):
            return discovered(message, bytes, isRetry: isRetry, into: &out)
        case .initializing(id): return initialized(message, bytes, into: &out)
        case .over: return .nothing
        default: break
        }
        if listing?.pageID == id { return listed(message, bytes, into: &out) }
        if pingID == id {
            pingID = nil
            return .pong
        }
        if listenID == id {
            // Ended by the server: it is asked again when something changes that is listened for.
            listenID = nil
            return .nothing
        }
        return state == .ready ? .answer(id) : .nothing
    }

    /// The answer to `server/discover`.
    private mutating func discovered(
        _ message: Envelope, _ bytes: [UInt8], isRetry: Bool, into out: inout LineWriter
    ) -> ServerEvent {
        if let range = message.result, let result = Value.tree(bytes, range),
            versions(result["supportedVersions"]).contains(ProtocolVersion.modern)
        {
            verdict = .modern
            version = ProtocolVersion.modern
            capabilities = ServerCapabilities(result["capabilities"])
            return handshakeOver(into: &out)
        }
        // Known to be modern, or asked twice: then it has to answer.
        let error = message.error.flatMap { Value.tree(bytes, $0.range) }
        if !isRetry, error?["code"]?.intValue == ProtocolErrorCode.unsupportedVersion,
            versions(error?["data"]?["supported"]).contains(ProtocolVersion.modern)
        {
            probe(isRetry: true, into: &out)
            return .nothing
        }
        guard mayRespawn else {
            state = .over
            return .failed(
                step: "handshake",
                cause: "the server does not speak MCP \(ProtocolVersion.modern)")
        }
        // Any other answer is a legacy server's way of saying that it does not know the method.
        initialize(into: &out)
        return .nothing
    }

    private func versions(_ json: JSON?) -> [String] {
        json?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    /// The answer to `initialize`.
    private mutating func initialized(
        _ message: Envelope, _ bytes: [UInt8], into out: inout LineWriter
    ) -> ServerEvent {
        guard let range = message.result, let result = Value.tree(bytes, range) else {
            let cause = message.error.flatMap { Value.tree(bytes, $0.range) }
            state = .over
            return .failed(
                step: "handshake",
                cause: "the server refused initialize: "
                    + (cause?["message"]?.stringValue ?? "no readable reason"))
        }
        let answered = result["protocolVersion"]?.stringValue ?? ""
        guard ProtocolVersion.legacy.contains(answered) else {
            state = .over
            return .failed(
                step: "handshake",
                cause: "the server speaks the MCP revision '\(answered)', which is not known here")
        }
        version = answered
        capabilities = ServerCapabilities(result["capabilities"])
        out.notification("notifications/initialized")
        return handshakeOver(into: &out)
    }

    private mutating func handshakeOver(into out: inout LineWriter) -> ServerEvent {
        mayRespawn = false
        guard wantsLists else {
            state = .ready
            return .ready(nil)
        }
        state = .listing
        for kind in ListKind.allCases where !capabilities.offers(kind) { offer.lists[kind] = [] }
        offer.completes = capabilities.completes
        offer.subscribes = capabilities.subscribes
        nextLists = ListKind.allCases.filter { capabilities.offers($0) }
        return listNext(into: &out)
    }

    /// Asks for the next list, or tells of those that have come when there is none.
    private mutating func listNext(into out: inout LineWriter) -> ServerEvent {
        requestNextList(into: &out)
        guard listing == nil else { return .nothing }
        let whole = offer
        offer = Offer()
        guard state == .listing else { return .listed(whole) }
        state = .ready
        return .ready(whole)
    }

    /// A page of a list.
    private mutating func listed(
        _ message: Envelope, _ bytes: [UInt8], into out: inout LineWriter
    ) -> ServerEvent {
        guard var list = listing else { return .nothing }
        listing = nil
        switch list.take(message, bytes) {
        case .more(let cursor):
            listing = list
            requestPage(cursor: cursor, into: &out)
            return .nothing
        case .whole(let items):
            offer.lists[list.kind] = items
            return listNext(into: &out)
        case .wrong(let cause) where list.kind != .tools:
            // Servers say that they have such lists and then know no method for it; tools do not
            // depend on them.
            offer.lists[list.kind] = []
            offer.complaints.append(cause)
            return listNext(into: &out)
        case .wrong(let cause):
            nextLists = []
            offer = Offer()
            guard state == .listing else { return .listFailed(cause: cause) }
            state = .over
            return .failed(step: "list tools", cause: cause)
        }
    }
}
