internal import Control
internal import JSONRPC
internal import MCP
internal import NIOCore
internal import Policy

extension Broker {
    /// Lists of a connection have changed: its user's clients are told, each once for all that
    /// comes in a short while.
    func listsChanged(_ kinds: Set<ListKind>, of connection: ManagedConnection) {
        var kinds = kinds
        // Clients know one notification for both.
        if kinds.remove(.resourceTemplates) != nil { kinds.insert(.resources) }
        for client in clients.values
        where client.caller.uid == connection.caller.uid
            && client.restriction ?? connection.name == connection.name
        {
            let wants = client.face.isInitialized || !client.hearing.listens.isEmpty
            if wants, client.hearing.note(kinds) { tellSoon(client) }
        }
    }

    /// A server says that a list has changed: it is asked for again, but not at any rate.
    func changed(_ kind: ListKind, by server: Server) {
        let isWaiting = !server.changedLists.isEmpty
        server.changedLists.insert(kind)
        if kind == .resources { server.changedLists.insert(.resourceTemplates) }
        guard !isWaiting else { return }
        let now = NIODeadline.now()
        guard server.relistAt > now else { return relist(server) }
        _ = schedule(after: server.relistAt - now) { [weak server] broker in
            if let server { broker.relist(server) }
        }
    }

    private func relist(_ server: Server) {
        let kinds = server.changedLists
        server.changedLists = []
        server.relistAt = .now() + Limit.relistDelay
        let ordered = ListKind.allCases.filter(kinds.contains)
        if server.face.list(ordered, into: &server.out) { markDirty(server) }
    }

    /// A server says that a resource has changed: one that was subscribed to, or part of it.
    func updated(_ own: String, by server: Server) {
        let connection = server.connection
        for (subscribed, clients) in connection.subscribers
        where own == subscribed || own.hasPrefix(subscribed + "/") {
            let uri = ResourceURI.exposed(connection: connection.name, own: subscribed)
            for client in clients.values {
                // Rules may have changed since it subscribed.
                guard case .allowed = decideBesideTools(client.caller, connection, "resource")
                else { continue }
                if client.hearing.note(uri) { tellSoon(client) }
            }
        }
    }

    private func tellSoon(_ client: Client) {
        _ = schedule(after: Limit.noticeDelay) { [weak client] broker in
            guard let client, client.context != nil else { return }
            client.hearing.tell(isLegacy: client.face.isInitialized, into: &client.out)
            broker.markDirty(client)
        }
    }

    /// A server reports progress of a call.
    func progress(_ number: Int, at server: Server, _ message: Envelope, _ bytes: [UInt8]) {
        guard let call = server.calls[number], let token = call.progressToken else { return }
        var line = LineWriter()
        ResultTranslation.writeProgress(message, bytes, token: token, into: &line)
        guard !line.isEmpty,
            let step = server.calls[number]?.pace.take(line.bytes, at: .now())
        else { return }
        if let wait = step.wait {
            _ = schedule(after: wait) { [weak server] broker in
                if let server { broker.tellProgress(number, at: server) }
            }
        }
        guard !step.tell.isEmpty else { return }
        call.client.out.lines(step.tell)
        markDirty(call.client)
    }

    /// Tells the progress that has been held back.
    func tellProgress(_ number: Int, at server: Server) {
        guard let rest = server.calls[number]?.pace.rest(at: .now()), !rest.isEmpty,
            let client = server.calls[number]?.client
        else { return }
        client.out.lines(rest)
        markDirty(client)
    }

    /// A server logs something: it goes to the connection's log, and to the one client whose calls
    /// are in flight there. With several nobody can tell whose it is.
    func logged(by server: Server, _ message: Envelope, _ bytes: [UInt8]) {
        guard let level = Notices.level(message, bytes) else { return }
        let connection = server.connection
        let text = String(Notices.text(message, bytes).prefix(Limit.logLineBytes))
        connection.log.append("[\(level.rawValue)] \(sanitized(text))", of: server.start)
        tellNewLines(of: connection)
        guard let call = server.calls.values.first,
            server.calls.values.allSatisfy({ $0.client === call.client })
        else { return }
        let levels =
            server.calls.values.compactMap(\.logLevel)
            + (server.calls.values.contains { $0.era == .legacy }
                ? [call.client.hearing.logLevel].compactMap(\.self) : [])
        guard let least = levels.min(), level >= least else { return }
        Notices.message(
            message, bytes, level: level, connection: connection.name, into: &call.client.out)
        markDirty(call.client)
    }

    /// `logging/setLevel`: holds for what this client hears; servers log from the least grave level
    /// on that any client of their user wants.
    func setLogLevel(_ client: Client, _ id: RequestID, _ level: LogLevel) {
        client.hearing.logLevel = level
        answer(client, id, [:])
        for connection in table(client.caller.uid).connections.values {
            if let server = connection.server { setLogLevel(of: server) }
        }
    }

    /// Asks a server that is ready for the log that somebody wants.
    func setLogLevel(of server: Server) {
        let uid = server.connection.caller.uid
        let levels = clients.values.filter { $0.caller.uid == uid }.compactMap(\.hearing.logLevel)
        guard let least = levels.min() else { return }
        server.face.setLogLevel(least, into: &server.out)
        if !server.out.isEmpty { markDirty(server) }
    }

    /// A server sends notifications faster than they are taken: it is not read for a while, which
    /// costs nobody but its own callers.
    func throttle(_ server: Server) {
        guard let wait = server.notices.take(), !server.isThrottled else { return }
        server.isThrottled = true
        _ = schedule(after: wait) { [weak server] _ in server?.isThrottled = false }
    }
}
