public import Configuration
internal import Control
internal import Kernel
public import Logging
internal import NIOCore
internal import NIOPosix
internal import Policy
internal import RunCards
internal import Store
internal import SupervisorProtocol

/// What a broker is started with.
public struct BrokerSettings: Sendable {
    /// The listening stream socket that clients connect to; the broker takes it over.
    public var controlSocket: CInt
    /// The SOCK_SEQPACKET socket to the supervisor; the broker takes it over.
    public var supervisorSocket: CInt
    /// The directory of the broker's own files; must exist.
    public var state: String
    /// Everything that decides what is allowed.
    public var policies: PolicySet
    /// Reads it anew, after the supervisor has.
    public var loadPolicies: @Sendable () throws -> PolicySet

    /// The users that sandboxes run as: none of them may be a client, whatever socket it got hold
    /// of.
    public var sandboxUsers: Range<UInt32>

    /// Describes a start.
    public init(
        controlSocket: CInt, supervisorSocket: CInt, state: String, policies: PolicySet,
        sandboxUsers: Range<UInt32>, loadPolicies: @escaping @Sendable () throws -> PolicySet
    ) {
        self.loadPolicies = loadPolicies
        self.sandboxUsers = sandboxUsers
        self.controlSocket = controlSocket
        self.supervisorSocket = supervisorSocket
        self.state = state
        self.policies = policies
    }
}

/// A running broker: its event loop, its store's thread and its link to the supervisor.
public final class BrokerService: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let broker: NIOLoopBound<Broker>
    private let store: StoreWorker
    private let listener: any Channel
    private let link: SupervisorLink

    /// Opens the store, takes up what was registered and begins to serve.
    ///
    /// `onEnd` is called once, on a thread of the broker's, when the supervisor is gone. Throws
    /// `StoreError` and what the sockets' calls throw.
    public init(
        _ settings: BrokerSettings, log: Logger, onEnd: @escaping @Sendable () -> Void
    ) throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let link = SupervisorLink(owning: Descriptor(owning: settings.supervisorSocket))
        let store = try StoreWorker(path: settings.state + "/broker.db")
        let (stored, last) = try store.run { store in
            try store.indexCards(settings.policies.cards.values.map(\.row))
            return (try StoredConnection.all(store), try store.lastNetwork())
        }.wait()
        let broker = try loop.submit {
            let broker = Broker(
                loop: loop, link: link, store: store, policies: settings.policies,
                loadPolicies: settings.loadPolicies, log: log, onEnd: onEnd)
            broker.network.lastNumber = last.number
            broker.network.lastChanged = last.changed
            broker.load(stored)
            return NIOLoopBound(broker, eventLoop: loop)
        }.wait()
        BrokerService.converse(link, broker, log, onEnd)
        listener = try BrokerService.listen(settings, loop, broker)
        self.group = group
        self.store = store
        self.link = link
        self.broker = broker
        log.info("broker serves", metadata: ["connections": "\(stored.count)"])
    }

    /// Ends in good order: takes no client and no call any more, lets calls in flight end within
    /// their limit, records them, then closes everything. Blocks until that is done.
    ///
    /// Without `waiting`, calls in flight end at once: when the supervisor is gone, so are servers.
    public func stop(waiting: Bool = true) throws {
        let loop = broker.eventLoop
        let drained = loop.makePromise(of: Void.self)
        let broker = broker
        try listener.close().wait()
        loop.execute { broker.value.drain { drained.succeed(()) } }
        let grace = waiting ? Limit.drain : .zero
        let limit = loop.scheduleTask(in: grace) { drained.succeed(()) }
        try drained.futureResult.wait()
        limit.cancel()
        let gateway = try loop.submit { broker.value.closeAll() }.wait()
        try loop.flatSubmit { broker.value.recordRest() }.wait()
        try gateway?.join()
        link.end()
        try store.close()
        try group.syncShutdownGracefully()
    }

    /// Lets the supervisor's messages reach the broker on its loop.
    private static func converse(
        _ link: SupervisorLink, _ broker: NIOLoopBound<Broker>, _ log: Logger,
        _ onEnd: @escaping @Sendable () -> Void
    ) {
        link.start(
            onEvent: { event, descriptors in
                broker.eventLoop.execute {
                    broker.value.receive(event, descriptors)
                    broker.value.flushPeers()
                }
            },
            onEnd: { cause in
                if let cause { log.critical("supervisor lost", metadata: ["cause": "\(cause)"]) }
                onEnd()
            })
        link.send(.hello(version: SupervisorProtocol.Limit.version))
    }

    /// Accepts clients.
    private static func listen(
        _ settings: BrokerSettings, _ loop: any EventLoop, _ broker: NIOLoopBound<Broker>
    ) throws -> any Channel {
        try ServerBootstrap(group: loop)
            // Listening again sets the queue's length anew: the supervisor's choice would be lost.
            .serverChannelOption(.backlog, value: Limit.backlog)
            .childChannelOption(.writeBufferWaterMark, value: .queue(Limit.clientQueueBytes))
            .childChannelOption(.recvAllocator, value: .reads)
            .childChannelInitializer { [sandboxUsers = settings.sandboxUsers] channel in
                admit(channel, broker, except: sandboxUsers)
            }
            .withBoundSocket(settings.controlSocket)
            .wait()
    }

    /// Learns from the kernel who a client is, and gives it a session.
    private static func admit(
        _ channel: any Channel, _ broker: NIOLoopBound<Broker>, except sandboxUsers: Range<UInt32>
    ) -> EventLoopFuture<Void> {
        guard let socket = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        // struct ucred: three 32-bit numbers, which a tuple of the same lays out alike.
        let peer: EventLoopFuture<(pid: Int32, uid: UInt32, gid: UInt32)> =
            socket.unsafeGetSocketOption(level: .socket, name: .init(rawValue: Socket.peerOption))
        return peer.flatMapThrowing { peer in
            try broker.value.admit(channel, uid: peer.uid, except: sandboxUsers)
        }
    }
}

extension Broker {
    /// Gives a new channel its session, unless there are too many.
    fileprivate func admit(
        _ channel: any Channel, uid: UInt32, except sandboxUsers: Range<UInt32>
    ) throws {
        guard !sandboxUsers.contains(uid) else {
            log.warning("client from a sandbox refused", metadata: ["uid": "\(uid)"])
            return try refuse(
                channel,
                Failure(
                    .notAllowed, "cannot connect: you are user \(uid), which is a sandbox's",
                    hint: "a server may not call tools through the broker that runs it"))
        }
        guard clients.count < Limit.clients else {
            log.warning("client refused", metadata: ["clients": "\(clients.count)"])
            return try refuse(
                channel,
                Failure(
                    .limitReached, "cannot connect: \(Limit.clients) clients are connected already",
                    hint: "close clients that are not used, and try again"))
        }
        let client = Client(self, caller: try Accounts().caller(uid))
        try channel.pipeline.syncOperations.addHandler(client)
    }

    private func refuse(_ channel: any Channel, _ failure: Failure) throws {
        try channel.pipeline.syncOperations.addHandler(RefusedClient(failure))
    }

    /// Takes nothing new; `then` is called once no call is in flight.
    fileprivate func drain(_ then: @escaping () -> Void) {
        isDraining = true
        for table in users.values {
            for connection in table.connections.values {
                failWaiting(of: connection, .shuttingDown)
            }
        }
        endNetworkWaits()
        flushPeers()
        guard servers.values.allSatisfy(\.calls.isEmpty) else {
            onDrained = then
            return
        }
        then()
    }

    /// Ends what is still in flight and closes every channel; gives the conversation with the
    /// gateway, which is over but for its thread.
    fileprivate func closeAll() -> EgressLink? {
        for server in servers.values {
            for number in server.calls.keys.sorted() { end(number, at: server, .shuttingDown) }
        }
        endListens()
        flushPeers()
        for server in servers.values {
            server.timer?.cancel()
            server.stopTimer?.cancel()
            server.endTimer?.cancel()
            server.context?.close(promise: nil)
        }
        // Commands end with the supervisor's or with this process's end, which comes now.
        runs.removeAll()
        for client in clients.values { client.context?.close(promise: nil) }
        return closeNetwork()
    }
}

extension RunCard {
    /// The card as the store's index keeps it.
    var row: CardRow {
        CardRow(name: name, type: name, description: description)
    }
}
