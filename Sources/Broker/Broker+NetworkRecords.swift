internal import Control
internal import Logging
internal import MCP
internal import NIOCore
internal import Policy
internal import Store
internal import SupervisorProtocol

extension Broker {
    /// Notes a change for the ledger.
    func change(_ change: NetworkChange) {
        guard network.changes.count < Limit.networkChanges else {
            network.missed += 1
            return
        }
        network.changes.append(change)
        guard !network.isRecording else { return }
        network.isRecording = true
        _ = schedule(after: Limit.networkDelay) { broker in
            broker.network.isRecording = false
            broker.recordNetworkNow()
        }
    }

    /// Has everything written that is noted; what is asked of the store after this finds it.
    func recordNetworkNow() {
        guard !isClosed, !network.changes.isEmpty else { return }
        let changes = network.changes
        network.changes = []
        let log = log
        store.run { try $0.recordNetwork(changes) }.whenFailure { error in
            log.error(
                "decisions not recorded",
                metadata: ["changes": "\(changes.count)", "cause": "\(error)"])
        }
    }

    /// `corral/connections/network`.
    func network(_ client: Client, _ request: ControlRequest) {
        guard let params = params(of: ConnectionsNetwork.self, client, request) else { return }
        drainNetwork()
        var connection: ManagedConnection?
        if let name = params.name ?? client.restriction {
            connection = self.connection(name, client, request)
            guard connection != nil else { return }
        }
        // One connection is its owner's; of all of them root sees everybody's.
        let isRoot = client.caller.uid == 0 && connection == nil
        let user = isRoot ? nil : client.caller.uid
        guard let after = params.after else {
            return measure(user, connection) { broker in
                broker.listNetwork(client, request, user, connection, params.lines)
            }
        }
        let newest = newestChange(user: user, connection: connection)
        guard newest <= after, !isDraining else {
            return followNetwork(client, request, user, connection, after, params.lines)
        }
        let timer = schedule(after: Limit.networkPatience) { broker in
            broker.endNetworkWaits { $0.client === client && $0.request.id == request.id }
        }
        network.waiters.append(
            NetworkWaiter(
                client: client, request: request, user: user, connection: connection,
                after: after, count: params.lines, timer: timer))
    }

    /// Has the gateway say what open connections have carried, then goes on; at once without one.
    private func measure(
        _ user: UInt32?, _ connection: ManagedConnection?, _ then: @escaping (Broker) -> Void
    ) {
        let seen = network.open.values.filter { isSeen($0, user, connection) }
        let sandboxes = Set(seen.map(\.decision.sandbox)).sorted()
        guard network.link != nil, !sandboxes.isEmpty,
            network.measures.count < Limit.supervisorRequests
        else { return then(self) }
        network.lastSerial += UInt64(sandboxes.count)
        let last = network.lastSerial
        var isOver = false
        let finish = { [self] in
            guard !isOver else { return }
            isOver = true
            then(self)
        }
        let timer = schedule(after: Limit.egressPatience) { _ in finish() }
        for (index, sandbox) in sandboxes.enumerated() {
            let serial = last - UInt64(sandboxes.count - 1 - index)
            let isLast = serial == last
            network.measures[serial] = {
                guard isLast else { return }
                timer.cancel()
                finish()
            }
            notify(.measure(sandbox: sandbox, serial: serial))
        }
    }

    private func isSeen(
        _ open: OpenConnection, _ user: UInt32?, _ connection: ManagedConnection?
    ) -> Bool {
        if let connection { return open.connection === connection }
        return user == nil || open.user == user
    }

    private func listNetwork(
        _ client: Client, _ request: ControlRequest, _ user: UInt32?,
        _ connection: ManagedConnection?, _ count: Int
    ) {
        let open = network.open.values.filter { isSeen($0, user, connection) }
            .sorted { $0.began < $1.began }.prefix(Limit.openConnectionsShown).map(\.described)
        let text = user.map(String.init)
        let id = connection?.id
        answerRows(client, request, open, network.lastChanged) {
            try $0.network(user: text, connection: id, newest: count)
        }
    }

    private func followNetwork(
        _ client: Client, _ request: ControlRequest, _ user: UInt32?,
        _ connection: ManagedConnection?, _ after: Int, _ count: Int
    ) {
        let text = user.map(String.init)
        let id = connection?.id
        answerRows(client, request, [], after) {
            try $0.network(user: text, connection: id, after: after, atMost: count)
        }
    }

    /// Answers with rows of the store, all that is noted before included.
    private func answerRows(
        _ client: Client, _ request: ControlRequest, _ open: [ConnectionsNetwork.Open],
        _ next: Int, _ read: @escaping @Sendable (Store) throws -> [NetworkRow]
    ) {
        recordNetworkNow()
        let bound = NIOLoopBound((self, client), eventLoop: loop)
        store.run(read).hop(to: loop).whenComplete { result in
            let (broker, client) = bound.value
            switch result {
            case .failure(let error):
                broker.fail(
                    client, request.id,
                    Failure(.storeFailed, "cannot list what the network did: \(error)"))
            case .success(let rows):
                broker.answer(
                    client, request,
                    ConnectionsNetwork.Result(
                        available: broker.network.link != nil, open: open,
                        decisions: rows.map(NetworkDecision.init),
                        next: max(next, rows.map(\.changed).max() ?? 0),
                        missed: broker.network.missed
                    ).json)
            }
            broker.flushPeers()
        }
    }

    /// The last change that somebody sees.
    private func newestChange(user: UInt32?, connection: ManagedConnection?) -> Int {
        if let connection { return connection.lastNetworkChange }
        return user.map { table($0).lastNetworkChange } ?? network.lastChanged
    }

    /// Something has changed of a user's network: those who waited for that have their answer.
    func tellNetwork(user: UInt32?, connection: ManagedConnection?) {
        if let user { table(user).lastNetworkChange = network.lastChanged }
        connection?.lastNetworkChange = network.lastChanged
        guard !network.waiters.isEmpty else { return }
        endNetworkWaits { waiter in
            if let wanted = waiter.connection { return wanted === connection }
            return waiter.user == nil || waiter.user == user
        }
    }

    /// Answers those who wait for news of the network with what there is.
    func endNetworkWaits(_ which: (NetworkWaiter) -> Bool = { _ in true }) {
        for waiter in takeNetworkWaiters(which) {
            // With what comes in the same moment.
            _ = schedule(after: Limit.networkDelay) { broker in
                broker.followNetwork(
                    waiter.client, waiter.request, waiter.user, waiter.connection, waiter.after,
                    waiter.count)
            }
        }
    }

    /// Ends the waits of requests that get no answer.
    func dropNetworkWaits(_ which: (NetworkWaiter) -> Bool) {
        for waiter in takeNetworkWaiters(which) {
            waiter.client.face.finished(waiter.request.id)
        }
    }

    private func takeNetworkWaiters(_ which: (NetworkWaiter) -> Bool) -> [NetworkWaiter] {
        let taken = network.waiters.filter(which)
        guard !taken.isEmpty else { return [] }
        network.waiters.removeAll(where: which)
        for waiter in taken { waiter.timer.cancel() }
        return taken
    }
}

extension OpenConnection {
    /// The connection as its user sees it.
    fileprivate var described: ConnectionsNetwork.Open {
        ConnectionsNetwork.Open(
            id: id, subject: subject, name: decision.name,
            address: decision.address.map { "\($0)" } ?? "", port: Int(decision.port),
            seconds: Int((NIODeadline.now() - began).nanoseconds / 1_000_000_000),
            sent: Int(clamping: sent), received: Int(clamping: received))
    }
}

extension NetworkDecision {
    /// A row as its user sees it.
    init(_ row: NetworkRow) {
        self.init(
            id: row.id, time: row.time.description, user: row.user,
            origin: Origin(rawValue: row.origin.rawValue) ?? .connection, subject: row.subject,
            policy: row.policy, calls: row.calls, call: row.call?.description, tools: row.tools,
            kind: Kind(rawValue: row.kind) ?? .connect, name: row.name, address: row.address,
            port: row.port, reason: row.reason.flatMap(NetworkReason.init), set: row.set,
            rule: row.rule, place: row.place, count: row.count,
            ending: row.ending.map { ending in
                NetworkEnd(
                    sent: ending.sent, received: ending.received,
                    microseconds: ending.microseconds, cause: ending.cause,
                    errno: ending.errno)
            })
    }
}
