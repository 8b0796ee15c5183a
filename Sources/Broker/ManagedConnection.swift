internal import Control
internal import JSONRPC
internal import MCP
internal import NIOCore
internal import Policy
internal import RunCards
internal import Store

/// One registered connection: what it was made from, what its server offers, what it is doing.
final class ManagedConnection {
    /// What it is doing.
    enum Phase {
        /// No server runs.
        case idle
        /// Its server was asked for and is not ready.
        case starting(ServerStart)
        /// Its server takes calls.
        case ready(Server)
        /// The last start failed.
        case failed(Failure)
    }

    let id: UUID
    let caller: Caller
    let name: String
    private(set) var card: RunCard
    /// The card's policy, narrowed by the card.
    private(set) var policy: Policy
    let settings: [String: SettingValue]
    let credentials: [String: String]
    let createdAt: Timestamp
    var lastUsed: Timestamp?
    var usageCount = 0
    var phase = Phase.idle
    var log = LogRing()
    /// Requests that wait for lines of the log.
    var logWaiters: [LogWaiter] = []
    /// The last change of what the network did for it.
    var lastNetworkChange = 0
    /// Calls that wait for the server to be ready, oldest first.
    var waiting: [WaitingCall] = []
    var waitingBytes = 0
    /// Who wants to hear of which resources, by the server's own URIs.
    var subscribers: [String: [ObjectIdentifier: Client]] = [:]
    /// Whether its server may be started.
    var health = Health()
    /// Whether the connection was removed, or its registration undone.
    var isGone = false
    /// What its server offers, each list as it was last told; a list that is not there was never
    /// asked for.
    private(set) var lists: [ListKind: [JSON]] = [:]
    private var catalogs: [ListKind: Catalog] = [:]
    /// Whether its server completes arguments; nil when that is not known.
    private(set) var completes: Bool?
    /// Whether its server tells of changes of single resources; nil when that is not known.
    private(set) var subscribes: Bool?

    init(
        id: UUID = UUID(), caller: Caller, name: String, card: RunCard, policy: Policy,
        settings: [String: SettingValue], credentials: [String: String],
        createdAt: Timestamp = .now()
    ) {
        self.id = id
        self.caller = caller
        self.name = name
        self.card = card
        self.policy = policy
        self.settings = settings
        self.credentials = credentials
        self.createdAt = createdAt
    }

    /// Takes its card and policy as they stand in the files now.
    func adopt(_ card: RunCard, _ policy: Policy) {
        self.card = card
        self.policy = policy
    }

    /// Takes fresh lists, and tells which of them differ from those before.
    @discardableResult
    func take(_ offer: Offer) -> Set<ListKind> {
        var changed: Set<ListKind> = []
        for (kind, items) in offer.lists {
            if lists[kind] ?? [] != items { changed.insert(kind) }
            lists[kind] = items
            catalogs[kind] = Catalog(
                connection: name, kind, items, clean: { sanitized($0, layout: .block) })
        }
        if let completes = offer.completes { self.completes = completes }
        if let subscribes = offer.subscribes { self.subscribes = subscribes }
        return changed
    }

    /// A list as clients see it.
    func catalog(_ kind: ListKind) -> Catalog { catalogs[kind] ?? ManagedConnection.nothing }

    private static let nothing = Catalog(connection: "", tools: [])

    /// The tools as clients see them.
    var catalog: Catalog { catalog(.tools) }

    /// The lists that have entries.
    var filledLists: Set<ListKind> { Set(lists.keys.filter { lists[$0]?.isEmpty == false }) }

    /// Whether all is known that its server offers.
    var isListed: Bool { ListKind.allCases.allSatisfy { lists[$0] != nil } }

    /// The server that takes calls now.
    var server: Server? {
        if case .ready(let server) = phase { server } else { nil }
    }

    /// The newest lines of its log since the last start, for an error.
    var errorLog: [String] { log.tail(Limit.errorLogLines, of: log.start) }

    /// Takes out the requests that wait for the log and are meant.
    func takeLogWaiters(_ which: (LogWaiter) -> Bool) -> [LogWaiter] {
        let taken = logWaiters.filter(which)
        logWaiters.removeAll(where: which)
        return taken
    }

    /// What an era verdict is valid for: what the card installs, or this user's own command.
    var eraKey: String { card.freeCommand ? id.description : card.name }

    /// The connection as its owner sees it.
    var described: Connection {
        var failure: Failure?
        let state: Connection.State
        switch phase {
        case .idle: state = .idle
        case .starting: state = .starting
        case .ready: state = .ready
        case .failed(let cause):
            state = .failed
            failure = cause
        }
        return Connection(
            id: id.description, name: name, card: card.name, state: state, failure: failure,
            settings: settings, credentials: credentials.keys.sorted(),
            tools: catalog.entries.map(Tool.init(exposing:)), createdAt: createdAt.description,
            lastUsed: lastUsed?.description, usageCount: usageCount, failures: health.failures,
            retryMilliseconds: health.wait().map { Int($0.nanoseconds / 1_000_000) })
    }
}

/// A call that waits for its server.
struct WaitingCall {
    let client: Client
    let call: ClientCall
    /// The server's own name for what is meant.
    let name: String
}

extension Tool {
    /// A tool as its catalog has it.
    fileprivate init(exposing entry: Catalog.Entry) {
        self.init(
            name: entry.exposedName, title: entry.definition["title"]?.stringValue,
            description: entry.definition["description"]?.stringValue)
    }
}

/// One user's connections, and where each of their tools is.
final class UserTable {
    private(set) var connections: [String: ManagedConnection] = [:]
    /// Names of connections that are being registered.
    var registering: Set<String> = []
    /// The last change of what the network did for this user.
    var lastNetworkChange = 0
    /// Changes with everything that clients' routes were made from.
    private(set) var generation = 0

    /// The connections in the order of the exposed names of a list, which is not quite that of
    /// their own: `a-b__x` comes before `a__x`.
    func sorted(for kind: ListKind) -> [ManagedConnection] {
        let separator = kind == .tools || kind == .prompts ? ToolName.separator : "/"
        return connections.values.map { (key: $0.name + separator, value: $0) }
            .sorted { $0.key < $1.key }.map(\.value)
    }

    func add(_ connection: ManagedConnection) {
        connections[connection.name] = connection
        generation += 1
    }

    func remove(_ connection: ManagedConnection) {
        connections[connection.name] = nil
        generation += 1
    }

    /// Notes that a connection's tools have changed.
    func toolsChanged() { generation += 1 }
}
