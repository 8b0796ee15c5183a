internal import Control
internal import JSONRPC
internal import Kernel
internal import MCP
internal import NIOCore
internal import Policy
internal import Store
internal import SupervisorProtocol

/// One server process in its sandbox: its session, its calls in flight, and how it ends.
final class Server: Peer, ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// One call without an answer yet.
    struct Call {
        /// Who waits for it; a call that was parked may come back from another client of its user.
        var client: Client
        /// The client's id for it; while it is parked one that no client can have.
        var id: RequestID
        let kind: ClientCall.Kind
        let era: Era
        var progressToken: RequestID?
        /// The tool's name at the server; the method of what is no call of a tool.
        let tool: String
        let began: NIODeadline
        var deadline: NIODeadline
        /// From which level on its client wants to see what is logged meanwhile; modern era only.
        let logLevel: LogLevel?
        /// What its client can be asked for.
        let asks: Set<Ask.Kind>
        var rounds: Rounds
        var pace = ProgressPace()
        var account: Account
        /// What the network refused meanwhile.
        var network = CallNetwork()
        /// Its identity in the ledger, once something refers to it.
        var identity: UUID?
    }

    let connection: ManagedConnection
    let sandbox: UInt64
    /// Which start of its connection it belongs to.
    let start: Int
    var face = ServerFace()
    /// Calls by the number they were sent under.
    var calls: [Int: Call] = [:]
    /// Calls without an answer that nobody waits for any more.
    var unfinished: Set<Int> = []
    /// Calls whose answer has come and waits for what the network refused them.
    var settling: Set<Int> = []
    /// What its calls use is read here.
    var meters: CgroupMeters?
    /// The figures that were seen last; only what they have risen by since is news.
    var usage = Usage()
    /// When the last call began or ended.
    var lastActive = NIODeadline.now()
    /// Waits for the next deadline, or for idleness.
    var timer: Scheduled<Void>?
    /// When `timer` fires.
    var timerAt: NIODeadline?
    /// Until when the ping after a missed deadline has to be answered.
    var pingDeadline: NIODeadline?
    /// Whether it has answered a call with a result.
    var hasAnswered = false
    /// Clients that were asked something in its name.
    var askedClients: [ObjectIdentifier: Client] = [:]
    /// Who waits for fresh lists.
    var listWaiters: [ListWaiter] = []
    /// Why the broker ends it; nil while it does not.
    var stopCause: StopCause?
    /// How it ended, once the supervisor said so.
    var ending: Ending?
    var isOutputOver = false
    var isLogOver = false
    /// Whether everybody was told of its end.
    var isConcluded = false
    /// Waits for it to end by itself.
    var stopTimer: Scheduled<Void>?
    /// Waits for the other half of its end.
    var endTimer: Scheduled<Void>?
    private let broker: Broker
    private var framer: LineFramer
    /// Clients that do not read what it says.
    private var slowClients: [ObjectIdentifier: Client] = [:]
    /// Clients that are not read because it does not.
    private var pausedClients: [ObjectIdentifier: Client] = [:]

    init(_ broker: Broker, _ connection: ManagedConnection, sandbox: UInt64) {
        self.broker = broker
        self.connection = connection
        self.sandbox = sandbox
        start = connection.log.start
        // Room for the envelope around a result of the allowed size.
        let line = connection.policy.limits.response + (64 << 10)
        framer = LineFramer(
            limit: min(line, JSONRPC.Limit.lineBytes), head: Limit.keptHeadBytes)
    }

    /// The newest lines of its log, for an error.
    var errorLog: [String] { connection.log.tail(Limit.errorLogLines, of: start) }

    func channelActive(context: ChannelHandlerContext) {
        opened(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        framer.append(unwrapInboundIn(data).readableBytesView)
        while let line = framer.next() {
            switch line {
            case .line(let range): receive(framer.bytes, range)
            case .tooLong: broker.tooLong(self, head: framer.takeHead())
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        broker.flushPeers()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { resumeClients() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        closed()
        resumeClients()
        broker.outputEnded(self)
        broker.flushPeers()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A broken pipe: its input is closed, so it is about to end; channelInactive follows.
        context.close(promise: nil)
    }

    private func receive(_ bytes: [UInt8], _ range: Range<Int>) {
        do throws(EnvelopeError) {
            let message = try Envelope.parse(bytes, in: range)
            if message.kind == .notification { broker.throttle(self) }
            let event = face.receive(message, bytes, into: &out)
            if !out.isEmpty { broker.markDirty(self) }
            // The line feed belongs to it, and a carriage return before that.
            let lineBytes = range.count + (bytes[range.upperBound] == 0x0D ? 2 : 1)
            broker.handle(event, of: self, message, bytes, lineBytes: lineBytes)
        } catch {
            broker.noise(from: self, bytes[range], error)
        }
    }

    /// Stops reading it until a client has read what it said.
    func hold(for client: Client) {
        slowClients[ObjectIdentifier(client)] = client
        setReading(false)
    }

    /// Notifications that it may still send.
    var notices = TokenBucket(rate: Limit.noticesPerSecond, most: Limit.noticeBurst)
    /// Whether it has sent too many, and is not read for that.
    var isThrottled = false {
        didSet {
            if isThrottled != oldValue { setReading(!isHeld) }
            if !isHeld, pingDeadline != nil { pingDeadline = .now() + Limit.pingGrace }
        }
    }
    /// When lists may be asked for again that the server says have changed.
    var relistAt = NIODeadline.distantPast
    /// Lists that have changed and were not asked for again yet.
    var changedLists: Set<ListKind> = []

    /// Whether it is not read now, so that its silence says nothing about it.
    var isHeld: Bool { !slowClients.isEmpty || isThrottled }

    /// A client reads again, or is gone.
    func release(_ client: Client) {
        slowClients[ObjectIdentifier(client)] = nil
        setReading(!isHeld)
        // What it said meanwhile is read only now.
        if !isHeld, pingDeadline != nil { pingDeadline = .now() + Limit.pingGrace }
    }

    /// Does not read a client that fills its input.
    func pause(_ client: Client) {
        // One whose channel has closed takes nothing any more, and nobody would resume the client.
        guard context != nil else { return }
        pausedClients[ObjectIdentifier(client)] = client
        client.wait(for: self)
    }

    private func resumeClients() {
        for client in pausedClients.values { client.stopWaiting(for: self) }
        pausedClients.removeAll()
    }
}

/// Why the broker ends a server.
enum StopCause {
    /// Nobody used it, or its connection goes away or starts anew: no call is in flight.
    case unused
    /// It broke a rule; calls in flight end with this.
    case broke(ErrorCode, String)
}

/// Called with fresh lists, or with why there are none.
typealias ListWaiter = (Result<Offer, Failure>) -> Void

/// Takes what a server writes to its standard error.
final class ServerLog: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let onChunk: (ByteBufferView) -> Void
    private let onEnd: () -> Void

    init(onChunk: @escaping (ByteBufferView) -> Void, onEnd: @escaping () -> Void) {
        self.onChunk = onChunk
        self.onEnd = onEnd
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        onChunk(unwrapInboundIn(data).readableBytesView)
    }

    func channelInactive(context: ChannelHandlerContext) {
        onEnd()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
