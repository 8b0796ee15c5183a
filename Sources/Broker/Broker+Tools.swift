internal import Configuration
internal import Control
internal import JSONRPC
internal import MCP
internal import Policy
internal import RunCards
internal import YAML

extension Broker {
    /// Answers one of the lists from what connections listed last; no server is started for it.
    func list(
        _ client: Client, _ id: RequestID, _ era: Era, _ kind: ListKind, _ cursor: String?
    ) {
        if let cursor, ToolName.connection(of: cursor) == nil, ResourceURI.split(cursor) == nil {
            return fail(
                client, id,
                Failure(
                    code: ProtocolErrorCode.invalidParams,
                    message: "Invalid params: the cursor is none that was given out"))
        }
        var page: [Catalog.Entry] = []
        var next: String?
        collect: for connection in table(client.caller.uid).sorted(for: kind)
        where client.restriction ?? connection.name == connection.name {
            for entry in connection.catalog(kind).entries {
                if let cursor, entry.exposedName <= cursor { continue }
                guard case .allowed = decide(client.caller, connection, kind, entry.name) else {
                    continue
                }
                guard page.count < MCP.Limit.pageEntries else {
                    next = page.last?.exposedName
                    break collect
                }
                page.append(entry)
            }
        }
        guard client.face.finished(id) else { return }
        Answers.list(id, era, kind, entries: page, nextCursor: next, into: &client.out)
        markDirty(client)
    }

    /// Whether a user may use an entry of a list.
    private func decide(
        _ caller: Caller, _ connection: ManagedConnection, _ kind: ListKind, _ name: String
    ) -> CallVerdict {
        kind == .tools
            ? decide(caller, connection, name) : decideBesideTools(caller, connection, kind.noun)
    }

    /// Whether a user may use what a connection offers beside its tools: the one place where that
    /// is decided. A rule that names tools speaks of these alone.
    func decideBesideTools(
        _ caller: Caller, _ connection: ManagedConnection, _ noun: String
    ) -> CallVerdict {
        let card = connection.card
        let verdict = policies.access.decideBesideTools(user: caller, card: card.name)
        guard verdict.isAllowed else {
            return .denied(.denied("use", "a \(noun) of \(connection.name)", verdict))
        }
        if card.freeCommand {
            let verdict = policies.access.mayRunCommands(caller)
            guard verdict.isAllowed else {
                return .denied(.denied("use", "a \(noun) of \(connection.name)", verdict))
            }
        }
        return .allowed
    }

    /// Whether a user may call a tool: the one place where that is decided.
    func decide(_ caller: Caller, _ connection: ManagedConnection, _ tool: String) -> CallVerdict {
        let card = connection.card
        let verdict = policies.access.decide(user: caller, card: card.name, tool: tool)
        guard verdict.isAllowed else { return .denied(.denied("call", tool, verdict)) }
        if card.freeCommand {
            let verdict = policies.access.mayRunCommands(caller)
            guard verdict.isAllowed else { return .denied(.denied("call", tool, verdict)) }
        }
        if let pattern = card.deny.first(where: { matches(tool, pattern: $0) }) {
            return .denied(.byCard(tool, card, "tools.deny", pattern, "denies"))
        }
        if let pattern = card.approve.first(where: { matches(tool, pattern: $0) }) {
            return .denied(
                .byCard(tool, card, "tools.approve", pattern, "wants a person's approval for"))
        }
        return .allowed
    }
}

extension Failure {
    /// A pattern of the card forbids a tool.
    fileprivate static func byCard(
        _ tool: String, _ card: RunCard, _ key: String, _ pattern: String, _ verb: String
    ) -> Failure {
        let place = card.place(of: key)
        return Failure(
            .notAllowed,
            "cannot call '\(sanitized(tool))': \(key) of \(place.file):\(place.line) \(verb) it "
                + "('\(pattern)')", rule: key, file: place.file, line: place.line)
    }
}
