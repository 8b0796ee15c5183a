internal import Control
internal import Logging
internal import MCP
internal import NIOCore
internal import SupervisorProtocol

extension Broker {
    /// Has a server looked at no later than a deadline.
    func watch(_ server: Server, until deadline: NIODeadline) {
        if let timerAt = server.timerAt, timerAt <= deadline { return }
        server.timer?.cancel()
        server.timerAt = deadline
        server.timer = schedule(after: deadline - .now()) { broker in
            server.timerAt = nil
            broker.look(at: server)
        }
    }

    /// Does what is due at a server: calls past their deadline, an unanswered ping, idleness.
    private func look(at server: Server) {
        guard !server.isConcluded, server.stopCause == nil else { return }
        let now = NIODeadline.now()
        if server.isHeld, server.pingDeadline != nil {
            server.pingDeadline = now + Limit.pingGrace
        }
        if let deadline = server.pingDeadline, deadline <= now {
            let cause = "it answered neither a call before its deadline nor a ping after it"
            return stop(server, .broke(.timeout, cause))
        }
        let late = server.calls.filter { $0.value.deadline <= now }
        for (number, call) in late.sorted(by: { $0.key < $1.key }) {
            end(number, at: server, .late(call.tool, server.connection))
            server.leaveUnfinished(number)
            server.face.cancel(number, reason: "its deadline has passed", into: &server.out)
        }
        if !late.isEmpty, server.pingDeadline == nil {
            server.pingDeadline = now + Limit.pingGrace
            server.face.ping(into: &server.out)
        }
        if !late.isEmpty { markDirty(server) }
        // Somebody listens: it is in use.
        if !server.connection.subscribers.isEmpty { server.lastActive = now }
        let idleAt = server.lastActive + server.idleTimeout
        if server.calls.isEmpty, server.pingDeadline == nil, idleAt <= now {
            log.debug("server idle", metadata: ["connection": "\(server.connection.id)"])
            return stop(server, .unused)
        }
        let next = [server.pingDeadline, server.calls.values.map(\.deadline).min()].compactMap {
            $0
        }
        watch(server, until: next.min() ?? idleAt)
    }

    /// Ends a server: by the end of its input when nothing is wrong with it, at once otherwise.
    /// Its connection is free for another from now on.
    func stop(_ server: Server, _ cause: StopCause) {
        guard server.stopCause == nil, !server.isConcluded else { return }
        server.stopCause = cause
        server.timer?.cancel()
        detach(server)
        switch cause {
        case .unused:
            markDirty(server)
            flushPeers()
            // The end of its input, then SIGTERM, then the end of all of it.
            server.context?.close(mode: .output, promise: nil)
            server.stopTimer = schedule(after: Limit.stopGrace) { broker in
                guard server.ending == nil else { return }
                broker.link.send(.signal(sandbox: server.sandbox, number: terminate))
                server.stopTimer = broker.schedule(after: Limit.stopGrace) { $0.kill(server) }
            }
        case .broke(let code, let text):
            log.notice(
                "server stopped",
                metadata: ["connection": "\(server.connection.id)", "cause": "\(text)"])
            kill(server)
            failStart(
                of: server,
                Failure(
                    code, "cannot start '\(server.connection.name)': handshake: \(text)",
                    log: server.errorLog))
            for number in server.calls.keys.sorted() {
                guard let call = server.calls[number] else { continue }
                let failure = Failure(
                    code,
                    "cannot call '\(call.tool)' of '\(server.connection.name)': its server "
                        + "was stopped: \(text)", log: server.errorLog)
                end(number, at: server, failure)
            }
        }
    }

    private func kill(_ server: Server) {
        guard server.ending == nil else { return }
        link.send(.kill(sandbox: server.sandbox))
    }

    /// A connection's server is not this one any more.
    private func detach(_ server: Server) {
        if case .ready(let current) = server.connection.phase, current === server {
            server.connection.phase = .idle
        }
    }

    private func failStart(of server: Server, _ failure: Failure) {
        guard case .starting(let start) = server.connection.phase, start.server === server else {
            return
        }
        finish(start, .failure(failure))
    }

    /// A server's output has ended.
    func outputEnded(_ server: Server) {
        server.isOutputOver = true
        detach(server)
        conclude(server)
    }

    /// A server's standard error has ended.
    func logEnded(_ server: Server) {
        server.isLogOver = true
        conclude(server)
        flushPeers()
    }

    /// The supervisor says that a sandbox is gone.
    func exited(_ sandbox: UInt64, _ ending: Ending) {
        guard let server = servers[sandbox] else { return ended(sandbox, ending) }
        server.ending = ending
        detach(server)
        conclude(server)
    }

    /// Tells everybody once all of a server's end has come: its output, its log, its status. One
    /// part that lags too far behind the others is not waited for.
    private func conclude(_ server: Server) {
        if server.isOutputOver, server.isLogOver, server.ending != nil {
            return concludeNow(server)
        }
        // A log alone may end early; the server lives on.
        guard server.isOutputOver || server.ending != nil, server.endTimer == nil else { return }
        server.endTimer = schedule(after: Limit.exitGrace) { broker in
            // Its output is over or it has exited; whatever is left of it is no server.
            broker.kill(server)
            broker.concludeNow(server)
        }
    }

    private func concludeNow(_ server: Server) {
        guard !server.isConcluded else { return }
        // Answers that have come and wait for what the gateway holds back are answers still.
        guard server.settling.isEmpty else {
            _ = schedule(after: Limit.egressRetry) { $0.concludeNow(server) }
            return
        }
        server.isConcluded = true
        server.timer?.cancel()
        server.stopTimer?.cancel()
        server.endTimer?.cancel()
        // Its last decisions are still this server's.
        drainNetwork(of: server)
        network.sandboxes[server.sandbox] = nil
        server.context?.close(promise: nil)
        let how = server.ending?.text ?? "it closed its output"
        log.info(
            "server ended",
            metadata: ["connection": "\(server.connection.id)", "how": "\(how)"])
        let limits = server.noteUsage(server.ending?.usage)
        // One that its calls have brought to a limit will start again as well as ever.
        if server.stopCause == nil, server.face.isReady, !server.hasAnswered, limits.isEmpty {
            server.connection.health.failed()
        }
        for number in server.calls.keys.sorted() {
            guard let call = server.calls[number] else { continue }
            end(number, at: server, .exited(call.tool, server, limits))
        }
        for waiter in server.listWaiters { waiter(.failure(.exited("tools/list", server, limits))) }
        server.listWaiters = []
        servers[server.sandbox] = nil
        concludeStart(of: server, how)
    }

    /// A server that ended before it was ready.
    private func concludeStart(of server: Server, _ how: String) {
        guard server.stopCause == nil, case .starting(let start) = server.connection.phase,
            start.server === server
        else { return }
        switch server.face.ended() {
        case .respawn:
            server.stopCause = .unused
            respawn(server)
        case .failed(let step, let cause):
            startFailed(server, step: step, cause: "\(cause): \(how)")
        default: break
        }
    }
}

/// SIGTERM.
private let terminate: Int32 = 15

extension Ending {
    /// The end in words.
    var text: String {
        signal == 0 ? "exit status \(status)" : signalName(signal)
    }
}
