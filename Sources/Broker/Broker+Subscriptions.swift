internal import Control
internal import JSONRPC
internal import MCP
internal import NIOCore
internal import Policy

extension Broker {
    /// `subscriptions/listen`: says what of it is honoured, and stays without an answer.
    func listen(_ client: Client, _ id: RequestID, _ filter: SubscriptionFilter) {
        guard client.hearing.listens.count < Limit.listensPerClient,
            client.hearing.resourceCount + filter.resources.count <= MCP.Limit.subscriptions
        else { return fail(client, id, .crowded("keep", "subscriptions/listen")) }
        var honoured = filter
        honoured.resources = filter.resources.filter { uri in
            if case .success = subscribable(uri, client) { true } else { false }
        }
        client.hearing.listens[id] = honoured
        Notices.acknowledged(honoured, listen: id, into: &client.out)
        markDirty(client)
        for uri in honoured.resources { subscribed(client, uri) }
    }

    /// `resources/subscribe`.
    func subscribe(_ client: Client, _ id: RequestID, _ uri: String) {
        if case .failure(let failure) = subscribable(uri, client) {
            return fail(client, id, failure)
        }
        guard client.hearing.resourceCount < MCP.Limit.subscriptions else {
            return fail(client, id, .crowded("subscribe to", uri))
        }
        client.hearing.resources.insert(uri)
        answer(client, id, [:])
        subscribed(client, uri)
    }

    /// `resources/unsubscribe`; of what was not subscribed to it changes nothing.
    func unsubscribe(_ client: Client, _ id: RequestID, _ uri: String) {
        client.hearing.resources.remove(uri)
        answer(client, id, [:])
        unsubscribed(client, uri)
    }

    /// Ends a `subscriptions/listen`; false when there is none of that id.
    func endListen(_ id: RequestID, of client: Client) -> Bool {
        guard let filter = client.hearing.listens.removeValue(forKey: id) else { return false }
        client.face.finished(id)
        for uri in filter.resources { unsubscribed(client, uri) }
        return true
    }

    /// A client that has gone hears of nothing any more.
    func endHearing(of client: Client) {
        let hearing = client.hearing
        client.hearing = Hearing()
        for uri in hearing.resources { unsubscribed(client, uri) }
        for filter in hearing.listens.values {
            for uri in filter.resources { unsubscribed(client, uri) }
        }
    }

    /// Tells every client that listens that nothing more will come.
    func endListens() {
        for client in clients.values {
            for id in client.hearing.listens.keys where client.face.finished(id) {
                Notices.ended(listen: id, into: &client.out)
                markDirty(client)
            }
            client.hearing.listens = [:]
        }
    }

    /// Whether a client may hear of a resource: the decision that reading it rests on.
    private func subscribable(
        _ uri: String, _ client: Client
    ) -> Result<Client.Route, Failure> {
        guard let route = resourceRoute(uri, of: client) else {
            return .failure(
                Failure(
                    code: ProtocolErrorCode.invalidParams,
                    message: "Resource not found: "
                        + "'\(sanitized(String(uri.prefix(Limit.quotedBytes))))'"))
        }
        if case .denied(let failure) = route.verdict { return .failure(failure) }
        guard route.connection.subscribes == true else {
            return .failure(
                Failure(
                    code: ProtocolErrorCode.invalidParams,
                    message: "cannot subscribe: the server of '\(route.connection.name)' does "
                        + "not tell of changes of single resources"))
        }
        return .success(route)
    }

    private func subscribed(_ client: Client, _ uri: String) {
        guard let (name, own) = ResourceURI.split(uri),
            let connection = table(client.caller.uid).connections[name]
        else { return }
        connection.subscribers[own, default: [:]][ObjectIdentifier(client)] = client
        guard connection.server == nil else { return resubscribe(connection) }
        // Nobody else would tell of changes: the server runs as long as somebody listens.
        start(connection, lists: false) { _ in }
    }

    private func unsubscribed(_ client: Client, _ uri: String) {
        guard !client.hearing.hears(of: uri), let (name, own) = ResourceURI.split(uri),
            let connection = table(client.caller.uid).connections[name]
        else { return }
        connection.subscribers[own]?[ObjectIdentifier(client)] = nil
        if connection.subscribers[own]?.isEmpty == true { connection.subscribers[own] = nil }
        resubscribe(connection)
    }

    /// Asks a running server to tell of what somebody wants to hear of.
    func resubscribe(_ connection: ManagedConnection) {
        guard let server = connection.server else { return }
        server.face.listen(to: Array(connection.subscribers.keys), into: &server.out)
        if !server.out.isEmpty { markDirty(server) }
    }
}
