internal import Configuration
internal import Control
internal import Logging
internal import NIOCore
internal import Policy
internal import RunCards
internal import Store
internal import SupervisorProtocol
internal import YAML

extension Broker {
    /// `corral/why`: one decision of the caller's own; root's are everybody's.
    func why(_ client: Client, _ request: ControlRequest) {
        guard let params = params(of: Why.self, client, request) else { return }
        let id = params.id.lowercased()
        let isID =
            (1...Limit.decisionIDBytes).contains(id.utf8.count)
            && id.utf8.allSatisfy {
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                    || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
            }
        guard isID else { return fail(client, request.id, .unknownDecision(params.id)) }
        let user = client.caller.uid == 0 ? nil : String(client.caller.uid)
        drainNetwork()
        recordNetworkNow()
        let bound = NIOLoopBound((self, client), eventLoop: loop)
        store.run { try $0.network(id: id, user: user, atMost: Limit.ambiguousIDs) }
            .hop(to: loop)
            .whenComplete { result in
                let (broker, client) = bound.value
                switch result {
                case .success(let rows): broker.explain(rows, id, client, request)
                case .failure(let error):
                    broker.fail(
                        client, request.id,
                        Failure(.storeFailed, "cannot explain '\(id)': \(error)"))
                }
                broker.flushPeers()
            }
    }

    private func explain(
        _ rows: [NetworkRow], _ id: String, _ client: Client, _ request: ControlRequest
    ) {
        var seen = rows
        if let name = client.restriction {
            let connection = table(client.caller.uid).connections[name]
            seen = rows.filter { connection != nil && $0.connection == connection?.id }
        }
        guard let row = seen.first else { return fail(client, request.id, .unknownDecision(id)) }
        guard seen.count == 1 else {
            return fail(client, request.id, .ambiguousDecision(id, seen.map(\.id)))
        }
        let allow = policies.policies[row.policy]?.allowPlace(row.origin) ?? ""
        answer(
            client, request,
            Why.Result(decision: NetworkDecision(row), allowPlace: allow).json)
    }

    /// `corral/reload`: has the supervisor read its files anew; root's wish alone.
    func reload(_ client: Client, _ request: ControlRequest) {
        guard params(of: Reload.self, client, request) != nil else { return }
        guard client.caller.uid == 0 else {
            return fail(
                client, request.id,
                Failure(
                    .notAllowed, "cannot reload: only root may have the files read anew",
                    hint: "run it as root"))
        }
        guard requests.count < Limit.supervisorRequests, !isDraining else {
            return fail(
                client, request.id, .busy("reload", "policies", "too many requests are under way"))
        }
        let id = takeRequestID()
        requests[id] = .reload(client, request)
        link.send(.reload(id: id))
        _ = schedule(after: Limit.reloadPatience) { broker in
            guard broker.requests.removeValue(forKey: id) != nil else { return }
            broker.fail(
                client, request.id, Failure(.timeout, "cannot reload: no answer came in time"))
        }
    }

    /// The supervisor has read its files anew, because somebody asked or a signal came.
    func reloaded(_ id: UInt64, _ mistakes: String) {
        let lines = mistakes.split(separator: "\n").map(String.init)
        var then: ([String]) -> Void = { _ in }
        if case .reload(let client, let request)? = requests.removeValue(forKey: id) {
            then = { [self] in answer(client, request, Reload.Result(mistakes: $0).json) }
        }
        guard lines.isEmpty else {
            log.error("not reloaded", metadata: ["mistakes": "\(lines.count)"])
            return then(lines)
        }
        let bound = NIOLoopBound((self, then), eventLoop: loop)
        store.run { [loadPolicies] store in
            let policies = try loadPolicies()
            try store.indexCards(policies.cards.values.map(\.row))
            return policies
        }
        .hop(to: loop)
        .whenComplete { result in
            let (broker, then) = bound.value
            switch result {
            case .success(let policies):
                broker.adopt(policies)
                then([])
            case .failure(let error):
                broker.log.critical(
                    "policies differ from the supervisor's", metadata: ["cause": "\(error)"])
                then("\(error)".split(separator: "\n").map(String.init))
            }
            broker.flushPeers()
        }
    }

    /// Decides by other policies from now on; what runs goes on.
    private func adopt(_ policies: PolicySet) {
        self.policies = policies
        for table in users.values {
            for connection in table.connections.values {
                guard let card = policies.cards[connection.card.name],
                    let policy = policies.narrowed[connection.card.name]
                else {
                    log.warning(
                        "connection without card",
                        metadata: [
                            "connection": "\(connection.id)", "card": "\(connection.card.name)",
                        ])
                    continue
                }
                connection.adopt(card, policy)
                // What of its lists may be seen can be another part of them now.
                listsChanged(connection.filledLists, of: connection)
            }
            table.toolsChanged()
        }
        log.info("reloaded", metadata: ["cards": "\(policies.cards.count)"])
    }
}

extension Failure {
    /// Nothing of that id is the caller's.
    fileprivate static func unknownDecision(_ id: String) -> Failure {
        let id = sanitized(String(id.prefix(Limit.quotedBytes)))
        return Failure(
            .unknownDecision, "cannot explain '\(id)': you have no decision of that id")
    }

    /// Several begin so.
    fileprivate static func ambiguousDecision(_ id: String, _ ids: [String]) -> Failure {
        Failure(
            .unknownDecision,
            "cannot explain '\(id)': several begin so: \(ids.joined(separator: ", "))",
            hint: "write one of them out")
    }

    /// There is no way out of a sandbox.
    static func networkUnavailable(_ tool: String) -> Failure {
        Failure(
            .networkUnavailable,
            "cannot call '\(sanitized(tool))': network_unavailable: the gateway, which is the way "
                + "out of its sandbox, is gone")
    }
}
