internal import Control
internal import MCP
internal import Policy

extension Broker {
    /// Where a call goes, and what was decided about it; nil when the caller has nothing that it
    /// could mean.
    func route(_ call: ClientCall, of client: Client) -> Client.Route? {
        switch call.kind {
        case .tool: return client.route(call.name, in: table(client.caller.uid))
        case .prompt: return promptRoute(call.name, of: client)
        case .resource: return resourceRoute(call.name, of: client)
        case .completion:
            guard call.reference == .prompt else { return resourceRoute(call.name, of: client) }
            return promptRoute(call.name, of: client)
        }
    }

    private func promptRoute(_ name: String, of client: Client) -> Client.Route? {
        guard let connection = seen(ToolName.connection(of: name).map(String.init), by: client),
            let entry = connection.catalog(.prompts)[name]
        else { return nil }
        return route(to: entry.name, of: connection, .prompts, client)
    }

    /// A resource need not be listed: templates and results lead to others.
    func resourceRoute(_ uri: String, of client: Client) -> Client.Route? {
        guard let (name, own) = ResourceURI.split(uri), let connection = seen(name, by: client)
        else { return nil }
        return route(to: own, of: connection, .resources, client)
    }

    private func route(
        to own: String, of connection: ManagedConnection, _ kind: ListKind, _ client: Client
    ) -> Client.Route {
        let verdict = decideBesideTools(client.caller, connection, kind.noun)
        return Client.Route(connection: connection, name: own, verdict: verdict)
    }

    /// A connection of the caller's that this client may see.
    private func seen(_ name: String?, by client: Client) -> ManagedConnection? {
        guard let name, client.restriction ?? name == name else { return nil }
        return table(client.caller.uid).connections[name]
    }
}

extension Failure {
    /// A call means nothing that is there.
    static func unknown(_ call: ClientCall) -> Failure {
        let name = sanitized(String(call.name.prefix(Limit.quotedBytes)))
        var text = "Unknown tool: '\(name)' (tools/list names those there are)"
        var code = ProtocolErrorCode.invalidParams
        switch call.kind {
        case .tool: break
        case .prompt: text = "Unknown prompt: '\(name)' (prompts/list names those there are)"
        case .resource:
            text = "Resource not found: '\(name)' (resources/list names those there are)"
            // The legacy revisions have a code of its own for it.
            if call.era == .legacy { code = ProtocolErrorCode.resourceNotFound }
        case .completion:
            text = "Unknown prompt or resource template: '\(name)'"
        }
        return Failure(code: code, message: text)
    }
}
