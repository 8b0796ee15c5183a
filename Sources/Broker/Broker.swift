internal import Configuration
internal import Control
internal import JSONRPC
internal import Logging
internal import MCP
internal import NIOCore
internal import Policy
internal import Store
internal import SupervisorProtocol

/// All that the broker knows and decides; it lives on one event loop and needs no lock.
final class Broker {
    let loop: any EventLoop
    let link: SupervisorLink
    let store: StoreWorker
    let log: Logger
    var policies: PolicySet
    /// Each user's connections.
    var users: [UInt32: UserTable] = [:]
    var clients: [ObjectIdentifier: Client] = [:]
    /// Running servers by sandbox, those that are about to end included.
    var servers: [UInt64: Server] = [:]
    /// Commands that run, by sandbox.
    var runs: [UInt64: CommandRun] = [:]
    /// What waits for an answer of the supervisor, by the request's number.
    var requests: [UInt64: SupervisorRequest] = [:]
    private var lastRequest: UInt64 = 0
    /// Eras found by probing, by what they are valid for.
    var eras: [String: EraVerdict] = [:]
    /// Beginnings of answers that were too large.
    var kept = KeptOutputs()
    /// Whether no new work is taken.
    var isDraining = false
    /// Whether the store takes nothing any more.
    var isClosed = false
    /// Called when the last call in flight has ended while draining.
    var onDrained: (() -> Void)?
    /// Called when the broker cannot go on: there is no supervisor any more.
    let onEnd: () -> Void
    let began = NIODeadline.now()
    /// Finished calls that are not recorded yet.
    var finished: [FinishedCall] = []
    var isRecording = false
    /// What the network does and did.
    var network = NetworkLedger()
    /// Reads the policies from their files.
    let loadPolicies: @Sendable () throws -> PolicySet
    /// Peers with lines to send.
    private var dirty: [Peer] = []

    init(
        loop: any EventLoop, link: SupervisorLink, store: StoreWorker, policies: PolicySet,
        loadPolicies: @escaping @Sendable () throws -> PolicySet, log: Logger,
        onEnd: @escaping () -> Void
    ) {
        self.onEnd = onEnd
        self.loadPolicies = loadPolicies
        self.loop = loop
        self.link = link
        self.store = store
        self.policies = policies
        self.log = log
    }

    /// A request's number that was never used.
    func takeRequestID() -> UInt64 {
        lastRequest += 1
        return lastRequest
    }

    /// The connections of a user.
    func table(_ uid: UInt32) -> UserTable {
        if let table = users[uid] { return table }
        let table = UserTable()
        users[uid] = table
        return table
    }

    /// Notes that a peer has lines to send at the end of the batch.
    func markDirty(_ peer: Peer) {
        if peer.markDirty() { dirty.append(peer) }
    }

    /// Sends what the batch has gathered, to everyone it is for.
    func flushPeers() {
        while let peer = dirty.popLast() { peer.flush() }
    }

    /// Does something later on the loop; the lines it gathers are sent after it.
    func schedule(after delay: TimeAmount, _ body: @escaping (Broker) -> Void) -> Scheduled<Void> {
        loop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            guard let self else { return }
            body(self)
            flushPeers()
        }
    }

    /// A client has come.
    func connected(_ client: Client) {
        clients[ObjectIdentifier(client)] = client
        log.debug("client connected", metadata: ["uid": "\(client.caller.uid)"])
    }

    /// A client has gone: its calls end, and nobody hears of them.
    func disconnected(_ client: Client) {
        guard clients.removeValue(forKey: ObjectIdentifier(client)) != nil else { return }
        log.debug("client disconnected", metadata: ["uid": "\(client.caller.uid)"])
        for registration in client.registrations.values { registration.isCancelled = true }
        for server in client.heldServers { server.release(client) }
        endHearing(of: client)
        for connection in users[client.caller.uid]?.connections.values.map({ $0 }) ?? [] {
            dropWaiting(of: connection) { $0.client === client }
            dropLogWaits(of: connection) { $0.client === client }
        }
        dropNetworkWaits { $0.client === client }
        endRuns(of: client)
        for server in servers.values {
            for (number, call) in server.calls where call.client === client {
                abandon(number, at: server, reason: "the client has gone")
            }
        }
    }

    /// A client does not read: what its calls bring is not read either.
    func holdServers(of client: Client) {
        for server in servers.values
        where server.calls.values.contains(where: { $0.client === client }) {
            server.hold(for: client)
            client.heldServers.append(server)
        }
    }

    /// Decides what a client's message asks for.
    func receive(_ request: ClientRequest, from client: Client) {
        switch request {
        case .nothing, .answered: return
        case .call(let call): return self.call(call, from: client)
        case .refuse(let id, let code, let message, let data):
            client.refuse(id, code, message, data)
        case .discover(let id): answer(client, id, Answers.discover())
        case .initialize(let id, let version):
            answer(client, id, Answers.initialize(version: version))
        case .ping(let id): answer(client, id, [:])
        case .list(let id, let era, let kind, let cursor): list(client, id, era, kind, cursor)
        case .control(let id, let era, let method, let params, let token):
            let request = ControlRequest(
                id: id, era: era, method: method, params: params, token: token)
            control(client, request)
        case .cancel(let id): cancel(id, of: client)
        case .listen(let id, let filter): listen(client, id, filter)
        case .subscribe(let id, let uri): subscribe(client, id, uri)
        case .unsubscribe(let id, let uri): unsubscribe(client, id, uri)
        case .setLogLevel(let id, let level): setLogLevel(client, id, level)
        }
    }

    /// Ends a request with a result.
    func answer(_ client: Client, _ id: RequestID, _ result: JSON) {
        guard client.face.finished(id) else { return }
        client.out.result(id, result)
        markDirty(client)
    }

    /// Ends a `corral/…` request with a result, marked as complete for the modern era.
    func answer(_ client: Client, _ request: ControlRequest, _ result: JSON) {
        var result = result
        if request.era == .modern { result["resultType"] = "complete" }
        answer(client, request.id, result)
    }

    /// Ends a request with an error.
    func fail(_ client: Client, _ id: RequestID, _ failure: Failure) {
        guard client.face.finished(id) else { return }
        let error = failure.json
        client.out.error(id, code: failure.code, message: failure.message, data: error["data"])
        markDirty(client)
    }
}

/// A `corral/…` request.
struct ControlRequest {
    let id: RequestID
    let era: Era
    let method: String
    let params: JSON
    /// What progress is reported under, when the client wants any.
    let token: RequestID?
}

/// What an answer of the supervisor is for.
enum SupervisorRequest {
    /// A server's start.
    case start(ServerStart)
    /// A card's installation.
    case install(Registration)
    /// A running server's figures.
    case usage((Usage?) -> Void)
    /// A command's start.
    case run(CommandRun)
    /// A running server's posture.
    case posture((Result<[PostureRow], Refusal>) -> Void)
    /// Files that are read anew.
    case reload(Client, ControlRequest)
}
