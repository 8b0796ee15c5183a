internal import Control
internal import JSONRPC
internal import MCP
internal import NIOCore
internal import Policy
internal import SupervisorProtocol

extension Broker {
    /// Takes what a server answers: finds out whose it is, decides, and sends it to that server,
    /// which is started first when it does not run.
    func call(_ call: ClientCall, from client: Client) {
        guard !isDraining else { return fail(client, call.id, .shuttingDown) }
        if call.kind == .resource, call.name.hasPrefix(KeptOutputs.scheme) {
            return readKept(call, from: client)
        }
        guard let route = route(call, of: client) else {
            return fail(client, call.id, .unknown(call))
        }
        if case .denied(let failure) = route.verdict { return fail(client, call.id, failure) }
        guard client.face.inFlightCount <= MCP.Limit.callsPerClient else {
            return fail(client, call.id, .crowded("call", call.name))
        }
        if call.kind == .completion, route.connection.completes == false {
            return answer(client, call.id, Answers.noCompletions(call.era))
        }
        // Its server could do nothing but wait for a network that is not there.
        guard !network.isGone || !route.connection.policy.network.isNetworked else {
            return fail(client, call.id, .networkUnavailable(call.name))
        }
        if call.state != nil, unpark(call, route, from: client) { return }
        if let server = route.connection.server {
            send(call, route.name, from: client, to: server)
        } else {
            wait(WaitingCall(client: client, call: call.detached(), name: route.name), route)
        }
    }

    /// Sends a call to a server that is ready.
    func send(_ call: ClientCall, _ name: String, from client: Client, to server: Server) {
        guard server.calls.count < Limit.callsPerServer else {
            return fail(
                client, call.id,
                .busy("call", call.name, "\(Limit.callsPerServer) calls are in flight there"))
        }
        guard call.state == nil || server.face.era == .modern else {
            // Sent without it, the call would begin anew.
            return fail(
                client, call.id,
                Failure(
                    code: ProtocolErrorCode.invalidParams,
                    message: "Invalid params: nothing waits for this requestState"))
        }
        let asks = call.asks.intersection(server.connection.card.asks)
        let now = NIODeadline.now()
        let timeout = server.connection.policy.limits.callTimeout.standard
        // What was decided before is not this call's.
        drainNetwork(of: server)
        if server.countsCallBytes { notify(.callBegan(sandbox: server.sandbox)) }
        networkTurned(at: server)
        var account = server.openAccount()
        let before = server.out.bytes.count
        let number = server.face.call(call, own: name, asks: asks, into: &server.out)
        account.bytesIn = server.out.bytes.count - before
        server.calls[number] = Server.Call(
            client: client, id: call.id, kind: call.kind, era: call.era,
            progressToken: call.progressToken,
            tool: call.kind == .tool ? name : call.kind.method, began: now,
            deadline: now + TimeAmount(timeout), logLevel: call.logLevel,
            asks: asks, rounds: Rounds(call, name, asks, server.face.era), account: account)
        server.lastActive = now
        markDirty(server)
        watch(server, until: now + TimeAmount(timeout))
        if !server.isWritable { server.pause(client) }
    }

    /// Keeps a call until its server is ready, and starts that.
    private func wait(_ call: WaitingCall, _ route: Client.Route) {
        let connection = route.connection
        guard connection.waiting.count < Limit.waitingCalls,
            connection.waitingBytes + call.call.waitingBytes <= Limit.waitingBytes
        else {
            return fail(
                call.client, call.call.id,
                .busy("call", call.call.name, "too many calls wait for its server to start"))
        }
        connection.waiting.append(call)
        connection.waitingBytes += call.call.waitingBytes
        start(connection, lists: false) { _ in }
    }

    /// The server is ready: sends what has waited for it.
    func sendWaiting(of connection: ManagedConnection, to server: Server) {
        let waiting = connection.waiting
        connection.waiting = []
        connection.waitingBytes = 0
        for item in waiting { send(item.call, item.name, from: item.client, to: server) }
    }

    /// The server will not be ready: ends what has waited for it.
    func failWaiting(of connection: ManagedConnection, _ failure: Failure) {
        let waiting = connection.waiting
        connection.waiting = []
        connection.waitingBytes = 0
        for item in waiting { fail(item.client, item.call.id, failure) }
    }

    /// Forgets waiting calls without an answer.
    func dropWaiting(of connection: ManagedConnection, where isDropped: (WaitingCall) -> Bool) {
        for item in connection.waiting where isDropped(item) {
            connection.waitingBytes -= item.call.waitingBytes
        }
        connection.waiting.removeAll(where: isDropped)
    }

    /// A client has lost interest in a request.
    func cancel(_ id: RequestID, of client: Client) {
        if endListen(id, of: client) { return }
        client.registrations[id]?.isCancelled = true
        cancelRun(id, of: client)
        dropNetworkWaits { $0.client === client && $0.request.id == id }
        for connection in users[client.caller.uid]?.connections.values.map({ $0 }) ?? [] {
            dropWaiting(of: connection) { item in
                guard item.client === client, item.call.id == id else { return false }
                client.face.finished(id)
                return true
            }
            dropLogWaits(of: connection) { $0.client === client && $0.request.id == id }
            guard let server = connection.server else { continue }
            for (number, call) in server.calls where call.client === client && call.id == id {
                // A cancelled request gets no answer, in either era.
                client.face.finished(id)
                abandon(number, at: server, reason: "the client cancelled it")
            }
        }
    }

    /// Ends a call that nobody waits for any more, and tells its server.
    func abandon(_ number: Int, at server: Server, reason: String) {
        guard let call = server.calls.removeValue(forKey: number) else { return }
        record(call, server.usage(of: call), at: server, error: ErrorCode.cancelled.name)
        server.leaveUnfinished(number)
        server.face.cancel(number, reason: reason, into: &server.out)
        markDirty(server)
        callEnded(at: server)
    }

    /// What every end of a call has in common.
    func callEnded(at server: Server) {
        server.lastActive = .now()
        if server.countsCallBytes { notify(.callEnded(sandbox: server.sandbox)) }
        networkTurned(at: server)
        for client in server.askedClients.values { dropAsks(of: client, at: server) }
        if server.calls.isEmpty {
            watch(server, until: server.lastActive + server.idleTimeout)
        }
        if isDraining, let onDrained, servers.values.allSatisfy(\.calls.isEmpty) {
            self.onDrained = nil
            onDrained()
        }
    }

    /// Ends a call with an error of the broker's own.
    func end(_ number: Int, at server: Server, _ failure: Failure) {
        drainNetwork(of: server)
        guard let call = server.calls.removeValue(forKey: number) else { return }
        var failure = failure
        let usage = server.usage(of: call)
        failure.usage = usage
        failure.add(call.network)
        record(call, usage, at: server, error: failure.reason ?? "error")
        fail(call.client, call.id, failure)
        callEnded(at: server)
    }
}

extension Server {
    /// How long it is kept without a call.
    var idleTimeout: TimeAmount { TimeAmount(connection.policy.limits.idleTimeout) }
}

extension Failure {
    /// Tells what the network refused to the call that failed.
    fileprivate mutating func add(_ network: CallNetwork) {
        guard !network.isEmpty else { return }
        self.network = network
        message = ([message] + network.lines).joined(separator: "; ")
    }
}
