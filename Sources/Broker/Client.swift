internal import JSONRPC
internal import MCP
internal import NIOCore
internal import Policy

/// One client on the control socket: its session, and what stops it from being read.
final class Client: Peer, ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Where something is, and what was decided about it for this client.
    struct Route {
        let connection: ManagedConnection
        /// The server's own name for it, or its URI.
        let name: String
        let verdict: CallVerdict
    }

    let caller: Caller
    var face = ClientFace()
    /// The only connection it sees, once it asked for that.
    var restriction: String?
    /// What it hears of without asking again.
    var hearing = Hearing()
    /// What it was asked and has not answered, by the broker's own numbers.
    var asks: [Int: PendingAsk] = [:]
    var lastAsk = 0
    /// Registrations that end when it goes away, by its own ids.
    var registrations: [RequestID: Registration] = [:]
    /// Servers that are not read because this client does not read.
    var heldServers: [Server] = []
    private let broker: Broker
    private var framer = LineFramer()
    private var routes: [String: Route] = [:]
    private var generation = -1
    /// Servers whose input is full; the client is not read until none is left.
    private var obstacles: [ObjectIdentifier: Server] = [:]

    init(_ broker: Broker, caller: Caller) {
        self.broker = broker
        self.caller = caller
    }

    func channelActive(context: ChannelHandlerContext) {
        opened(context)
        broker.connected(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        framer.append(unwrapInboundIn(data).readableBytesView)
        while let line = framer.next() {
            switch line {
            case .line(let range): receive(framer.bytes, range)
            case .tooLong:
                refuse(
                    nil, ProtocolErrorCode.invalidRequest,
                    "cannot accept the message: it is longer than "
                        + "\(JSONRPC.Limit.lineBytes >> 20) MiB")
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        broker.flushPeers()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            for server in heldServers { server.release(self) }
            heldServers.removeAll()
            updateReading()
        } else {
            updateReading()
            broker.holdServers(of: self)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        closed()
        broker.disconnected(self)
        broker.flushPeers()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset by the client; what matters follows in channelInactive.
        context.close(promise: nil)
    }

    private func receive(_ bytes: [UInt8], _ range: Range<Int>) {
        do throws(EnvelopeError) {
            let message = try Envelope.parse(bytes, in: range)
            let request = face.receive(message, bytes)
            if case .answered(let number) = request {
                return broker.answered(number, by: self, message, bytes)
            }
            broker.receive(request, from: self)
        } catch {
            refuse(error.id, error.code, error.message)
        }
    }

    /// Sends a protocol error.
    func refuse(_ id: RequestID?, _ code: Int, _ message: String, _ data: JSON? = nil) {
        out.error(id, code: code, message: message, data: data)
        broker.markDirty(self)
    }

    /// Reads from it only while its own output drains and no server's input is full.
    private func updateReading() {
        setReading(isWritable && obstacles.isEmpty)
    }

    /// Stops reading until a server takes input again.
    func wait(for server: Server) {
        obstacles[ObjectIdentifier(server)] = server
        updateReading()
    }

    /// A server takes input again, or is gone.
    func stopWaiting(for server: Server) {
        guard obstacles.removeValue(forKey: ObjectIdentifier(server)) != nil else { return }
        updateReading()
    }

    /// The route of a tool; decided once, until the user's connections change.
    func route(_ name: String, in table: UserTable) -> Route? {
        if generation != table.generation {
            routes.removeAll(keepingCapacity: true)
            generation = table.generation
        }
        if let route = routes[name] { return route }
        guard let connection = ToolName.connection(of: name).map(String.init),
            restriction == nil || restriction == connection,
            let managed = table.connections[connection], let entry = managed.catalog[name]
        else { return nil }
        let verdict = broker.decide(caller, managed, entry.name)
        let route = Route(connection: managed, name: entry.name, verdict: verdict)
        routes[name] = route
        return route
    }

    /// Sees one connection only, from now on.
    func restrict(to connection: String) {
        restriction = connection
        generation = -1
    }
}
