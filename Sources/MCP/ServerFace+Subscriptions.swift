public import JSONRPC

extension ServerFace {
    /// Asks to be told of changes of these resources, by the server's own URIs, and of lists as far
    /// as the server tells; what was asked for before is over.
    public mutating func listen(to resources: [String], into out: inout LineWriter) {
        guard state == .ready else { return }
        if era == .modern {
            listenAnew(to: resources, into: &out)
        } else if capabilities.subscribes {
            let wanted = Set(resources)
            for uri in subscribed.subtracting(wanted).sorted() {
                out.request(.integer(takeID()), "resources/unsubscribe", ["uri": .string(uri)])
            }
            for uri in wanted.subtracting(subscribed).sorted() {
                out.request(.integer(takeID()), "resources/subscribe", ["uri": .string(uri)])
            }
            subscribed = wanted
        }
    }

    private mutating func listenAnew(to resources: [String], into out: inout LineWriter) {
        var filter = SubscriptionFilter()
        filter.lists = capabilities.tellsOf
        if capabilities.subscribes { filter.resources = resources.sorted() }
        let wanted = Set(filter.resources)
        guard listenID == nil || wanted != subscribed else { return }
        let old = listenID
        subscribed = wanted
        listenID = nil
        if filter != SubscriptionFilter() {
            let id = takeID()
            listenID = id
            modernRequest(
                id, "subscriptions/listen", ["notifications": filter.json], into: &out)
        }
        // The old one ends last, so that no change is missed between the two.
        if let old { cancel(old, reason: "another one has taken its place", into: &out) }
    }

    /// Sets how grave messages must be that a legacy server logs; modern ones are told with each
    /// call.
    public mutating func setLogLevel(_ level: LogLevel, into out: inout LineWriter) {
        guard state == .ready, era == .legacy, capabilities.logs else { return }
        out.request(.integer(takeID()), "logging/setLevel", ["level": .string(level.rawValue)])
    }

    /// What a notification means that no call asked for.
    func unasked(_ message: Envelope, _ bytes: [UInt8]) -> ServerEvent {
        if era == .modern, message.method != "notifications/message" {
            guard let listenID, let range = message.meta?[.metaSubscriptionId],
                RequestID(message: bytes, range) == .integer(listenID)
            else { return .nothing }
        }
        switch message.method {
        case "notifications/tools/list_changed": return .changed(.tools)
        case "notifications/prompts/list_changed": return .changed(.prompts)
        case "notifications/resources/list_changed": return .changed(.resources)
        case "notifications/resources/updated":
            guard let uri = message.params?[.uri].flatMap({ Value.string(bytes, $0) }) else {
                return .nothing
            }
            return .updated(uri)
        case "notifications/message": return .logged
        default: return .nothing
        }
    }
}
