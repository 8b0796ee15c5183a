internal import Control
internal import Kernel
internal import Logging
internal import MCP
internal import NIOCore
internal import NIOPosix
internal import Policy
internal import RunCards
internal import Store
internal import SupervisorProtocol
internal import YAML

extension Broker {
    /// Sees to it that a connection's server runs; whoever asks meanwhile shares the start.
    func start(
        _ connection: ManagedConnection, lists: Bool,
        then: @escaping (Result<Offer?, Failure>) -> Void
    ) {
        switch connection.phase {
        case .ready(let server):
            guard lists else { return then(.success(nil)) }
            guard server.face.list(ListKind.allCases, into: &server.out) else {
                return then(.success(Offer()))
            }
            server.listWaiters.append { then($0.map { $0 }) }
            markDirty(server)
            watchList(of: server)
        case .starting(let start): start.waiters.append(then)
        case .idle, .failed:
            guard !isDraining else { return then(.failure(.shuttingDown)) }
            let wait = connection.health.wait()
            if connection.health.isOpen, let wait {
                let failure = Failure.circuitOpen(connection, for: wait)
                failWaiting(of: connection, failure)
                return then(.failure(failure))
            }
            let start = ServerStart(
                connection, mode(for: connection), lists: lists || !connection.isListed)
            start.waiters.append(then)
            connection.log.begin()
            connection.phase = .starting(start)
            guard let wait else { return requestStart(start) }
            start.timer = schedule(after: wait) { broker in
                guard case .starting(let current) = connection.phase, current === start else {
                    return
                }
                broker.requestStart(start)
            }
        }
    }

    /// How to find out the era of a card's server.
    private func mode(for connection: ManagedConnection) -> ServerFace.Mode {
        switch connection.card.era {
        case .modern: .known(.modern)
        case .legacy: .known(.legacy)
        case .auto: eras[connection.eraKey].map { .known($0) } ?? .probe
        }
    }

    private func requestStart(_ start: ServerStart) {
        let connection = start.connection
        guard requests.count < Limit.supervisorRequests else {
            return finish(
                start, .failure(.busy("start", connection.name, "too many starts are under way")))
        }
        let id = takeRequestID()
        start.request = id
        start.server = nil
        start.step = .start
        requests[id] = .start(start)
        link.send(
            .start(
                Request.Start(
                    id: id, user: connection.caller.uid, connection: connection.id.description,
                    card: connection.card.name,
                    settings: connection.settings.map { name, value in
                        Request.Setting(name: name, values: value.values)
                    },
                    credentials: connection.credentials.map { name, value in
                        Request.Field(name: name, value: value)
                    })))
        start.timer?.cancel()
        let timeout = TimeAmount(connection.policy.limits.startTimeout)
        start.timer = schedule(after: timeout) { $0.startTimedOut(start) }
    }

    /// The supervisor has started the process.
    func started(
        _ start: ServerStart, sandbox: UInt64, _ meters: Meters, _ descriptors: Descriptors
    ) {
        start.request = nil
        guard case .starting(let current) = start.connection.phase, current === start,
            descriptors.count == 4 + meters.count
        else {
            // Nobody waits for it any more.
            return link.send(.kill(sandbox: sandbox))
        }
        let server = Server(self, start.connection, sandbox: sandbox)
        server.usage = Usage()
        start.server = server
        start.ran = .now()
        start.step = .handshake
        servers[sandbox] = server
        let raw = descriptors.take()
        // The supervisor reports the end by itself; the pidfd is for those who have no supervisor.
        _ = Descriptor(owning: raw[3])
        tellSpent(of: server)
        server.meters = CgroupMeters(meters, owning: Array(raw[4...]))
        openPipes(server, input: raw[1], output: raw[0], log: raw[2])
        server.face.start(
            start.mode, lists: start.lists, asks: start.connection.card.asks,
            into: &server.out)
        markDirty(server)
        flushPeers()
    }

    /// Attaches a server's descriptors to the event loop.
    private func openPipes(_ server: Server, input: CInt, output: CInt, log: CInt) {
        let bound = NIOLoopBound(server, eventLoop: loop)
        NIOPipeBootstrap(group: loop)
            .channelOption(.writeBufferWaterMark, value: .queue(Limit.serverQueueBytes))
            .channelOption(.recvAllocator, value: .reads)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
            .takingOwnershipOfDescriptors(input: input, output: output)
            .whenFailure { [self = NIOLoopBound(self, eventLoop: loop)] error in
                _ = Descriptor(owning: input)
                _ = Descriptor(owning: output)
                self.value.pipesFailed(bound.value, "\(error)")
            }
        openLog(
            log, of: server.connection,
            onEnd: { [weak self] in self?.logEnded(server) })
    }

    private func pipesFailed(_ server: Server, _ cause: String) {
        log.error("pipes failed", metadata: ["sandbox": "\(server.sandbox)", "cause": "\(cause)"])
        stop(server, .broke(.startFailed, "its pipes could not be watched"))
        outputEnded(server)
        flushPeers()
    }

    /// The handshake is over.
    func ready(_ server: Server, _ offer: Offer?) {
        let connection = server.connection
        guard case .starting(let start) = connection.phase, start.server === server else { return }
        if let verdict = server.face.verdict { eras[connection.eraKey] = verdict }
        connection.phase = .ready(server)
        log.info(
            "server ready",
            metadata: [
                "connection": "\(connection.id)", "card": "\(connection.card.name)",
                "revision": "\(server.face.version)",
            ])
        server.lastActive = .now()
        watch(server, until: server.lastActive + server.idleTimeout)
        if let offer { take(offer, for: connection) }
        finish(start, .success(offer))
        sendWaiting(of: connection, to: server)
        resubscribe(connection)
        setLogLevel(of: server)
    }

    /// Ends a start, whichever way it went.
    func finish(_ start: ServerStart, _ result: Result<Offer?, Failure>) {
        start.timer?.cancel()
        if let request = start.request { requests[request] = nil }
        start.request = nil
        let waiters = start.waiters
        start.waiters = []
        if case .failure(let failure) = result {
            start.connection.phase = .failed(failure)
            if failure.isOfServer { start.connection.health.failed() }
            log.notice(
                "start failed",
                metadata: [
                    "connection": "\(start.connection.id)", "card": "\(start.connection.card.name)",
                    "cause": "\(failure.message)",
                ])
            failWaiting(of: start.connection, failure)
        }
        for waiter in waiters { waiter(result) }
    }

    /// The supervisor could not start the process.
    func startRefused(_ start: ServerStart, _ refusal: Refusal) {
        start.request = nil
        finish(start, .failure(Failure(refusal, log: start.connection.errorLog)))
    }

    /// The handshake went wrong while the process runs.
    func startFailed(_ server: Server, step: String, cause: String) {
        guard case .starting(let start) = server.connection.phase, start.server === server else {
            return
        }
        let failure = Failure(
            .startFailed, "cannot start '\(server.connection.name)': \(step): \(sanitized(cause))",
            log: server.errorLog)
        // A verdict that was kept may be what is wrong: the next start probes again.
        eras[server.connection.eraKey] = nil
        stop(server, .unused)
        finish(start, .failure(failure))
    }

    /// A process that was probed is replaced by one that gets `initialize` at once.
    func respawn(_ server: Server) {
        guard case .starting(let start) = server.connection.phase, start.server === server else {
            return
        }
        log.debug("server has no discover", metadata: ["connection": "\(server.connection.id)"])
        start.mode = .known(.legacy)
        stop(server, .unused)
        requestStart(start)
    }

    private func startTimedOut(_ start: ServerStart) {
        guard case .starting(let current) = start.connection.phase, current === start else {
            return
        }
        guard let server = start.server else {
            return finish(
                start,
                .failure(
                    Failure(
                        .startFailed,
                        "cannot start '\(start.connection.name)': start: the supervisor did not "
                            + "answer in time", log: start.connection.errorLog)))
        }
        switch server.face.timedOut() {
        case .respawn: respawn(server)
        case .failed(let step, let cause):
            let limit = start.connection.policy.limits.startTimeout
            startFailed(
                server, step: step, cause: "\(cause) (start_timeout is \(durationText(limit)))")
        default: break
        }
    }
}

extension RecvByteBufferAllocator where Self == AdaptiveRecvByteBufferAllocator {
    /// Reads of whole messages, as far as they are ordinary.
    static var reads: AdaptiveRecvByteBufferAllocator {
        AdaptiveRecvByteBufferAllocator(
            minimum: 4 << 10, initial: 16 << 10, maximum: Limit.readBytes)
    }
}

extension ChannelOptions.Types.WriteBufferWaterMark {
    /// A queue that is full at `bytes` and free again at a quarter of it.
    static func queue(_ bytes: Int) -> Self { Self(low: bytes / 4, high: bytes) }
}
