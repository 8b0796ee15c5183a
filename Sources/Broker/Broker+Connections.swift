internal import Control
internal import JSONRPC
internal import Logging
internal import MCP
internal import NIOCore
internal import Policy
internal import Store

extension Broker {
    /// `corral/connections/remove`.
    func remove(_ client: Client, _ request: ControlRequest) {
        guard let connection = named(ConnectionsRemove.self, client, request) else { return }
        remove(connection) { [self] failure in
            if let failure {
                fail(client, request.id, failure)
            } else {
                answer(client, request, Empty().json)
            }
        }
    }

    /// Stops a connection's server and forgets it; it is gone for its user at once.
    func remove(_ connection: ManagedConnection, then: @escaping (Failure?) -> Void) {
        table(connection.caller.uid).remove(connection)
        connection.isGone = true
        kept.forget(connection.id)
        listsChanged(connection.filledLists, of: connection)
        let failure = Failure(
            .unknownConnection, "cannot call '\(connection.name)': the connection was removed")
        halt(connection, failure)
        failLogWaits(of: connection)
        let id = connection.id
        let name = connection.name
        let bound = NIOLoopBound((self, connection, then), eventLoop: loop)
        store.run { try $0.remove(id) }.hop(to: loop).whenComplete { result in
            let (broker, connection, then) = bound.value
            if case .failure(let error) = result {
                // It is in the store still, so it must be seen.
                broker.table(connection.caller.uid).add(connection)
                then(.store(error, connection: name))
            } else {
                broker.log.info("removed", metadata: ["connection": "\(id)"])
                then(nil)
            }
            broker.flushPeers()
        }
    }

    /// Ends whatever a connection is doing; its calls end with `failure`.
    private func halt(_ connection: ManagedConnection, _ failure: Failure) {
        failWaiting(of: connection, failure)
        switch connection.phase {
        case .ready(let server):
            for number in server.calls.keys.sorted() { end(number, at: server, failure) }
            stop(server, .unused)
        case .starting(let start):
            if let server = start.server { stop(server, .unused) }
            finish(start, .failure(failure))
            connection.phase = .idle
        case .idle, .failed: break
        }
    }

    /// `corral/connections/restart`.
    func restart(_ client: Client, _ request: ControlRequest) {
        guard let connection = named(ConnectionsRestart.self, client, request) else { return }
        halt(
            connection,
            Failure(.cancelled, "cannot finish the call of '\(connection.name)': it was restarted"))
        connection.phase = .idle
        connection.health.recovered()
        start(connection, lists: true) { [self] result in
            switch result {
            case .failure(let failure): fail(client, request.id, failure)
            case .success:
                answer(client, request, connection.described.json)
            }
        }
    }

    /// `corral/connections/test`: starts the server unless it runs, and lists its tools anew.
    func test(_ client: Client, _ request: ControlRequest) {
        guard let connection = named(ConnectionsTest.self, client, request) else { return }
        let began = NIODeadline.now()
        var running = connection.server
        connection.health.recovered()
        start(connection, lists: true) { [self] result in
            running = running ?? connection.server
            var report = TestReport(began: began, server: running)
            switch result {
            case .success:
                report.passed("\(connection.catalog.entries.count) tools")
            case .failure(let failure): report.failed(failure)
            }
            answer(client, request, report.result.json)
        }
    }

    /// Offers fresh lists from now on.
    func take(_ offer: Offer, for connection: ManagedConnection) {
        guard !connection.isGone else { return }
        for complaint in offer.complaints {
            connection.log.append(
                "[corral] \(sanitized(complaint))", of: connection.log.start)
            tellNewLines(of: connection)
        }
        let changed = connection.take(offer)
        let table = table(connection.caller.uid)
        table.toolsChanged()
        // Of one that is being registered nobody knows yet.
        if table.connections[connection.name] === connection {
            listsChanged(changed, of: connection)
        }
        keepTools(of: connection)
    }

    /// A running server has listed anew what it offers.
    func listed(_ offer: Offer, by server: Server) {
        take(offer, for: server.connection)
        endListing(of: server, .success(offer))
    }

    /// Ends the wait for lists.
    func endListing(of server: Server, _ result: Result<Offer, Failure>) {
        let waiters = server.listWaiters
        server.listWaiters = []
        for waiter in waiters { waiter(result) }
    }

    /// Waits for lists no longer than for a call.
    func watchList(of server: Server) {
        let timeout = TimeAmount(server.connection.policy.limits.callTimeout.standard)
        _ = schedule(after: timeout) { broker in
            guard !server.listWaiters.isEmpty else { return }
            broker.endListing(of: server, .failure(.late("tools/list", server.connection)))
            broker.stop(server, .broke(.timeout, "it did not list its tools in time"))
        }
    }
}

/// What `corral/connections/test` has found, step by step.
private struct TestReport {
    private let began: NIODeadline
    private let server: Server?
    private var steps: [ConnectionsTest.Step] = []
    private var failure: Failure?

    init(began: NIODeadline, server: Server?) {
        self.began = began
        self.server = server
    }

    var result: ConnectionsTest.Result { ConnectionsTest.Result(steps: steps, failure: failure) }

    /// Everything went well.
    mutating func passed(_ detail: String) {
        add(.start, .passed, "runs")
        add(.handshake, .passed, "MCP \(server?.face.version ?? "")")
        add(.listTools, .passed, detail)
    }

    /// A step failed; those before it passed and those after it were not tried.
    mutating func failed(_ failure: Failure) {
        self.failure = failure
        let message = failure.message
        let all: [ServerStart.Step] = [.start, .handshake, .listTools]
        let failed = all.first { message.contains(": \($0.rawValue): ") } ?? .start
        for step in all.prefix(while: { $0 != failed }) { add(step, .passed, "") }
        add(failed, .failed, message)
        for step in all.drop(while: { $0 != failed }).dropFirst() { add(step, .skipped, "") }
    }

    private mutating func add(
        _ step: ServerStart.Step, _ outcome: ConnectionsTest.Step.Outcome, _ detail: String
    ) {
        let elapsed = NIODeadline.now() - began
        steps.append(
            ConnectionsTest.Step(
                name: step.rawValue, outcome: outcome, detail: detail,
                milliseconds: outcome == .skipped ? 0 : Int(elapsed.nanoseconds / 1_000_000)))
    }
}
