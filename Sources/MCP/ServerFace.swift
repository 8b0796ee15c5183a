public import JSONRPC

/// What a server turned out to speak.
public enum EraVerdict: Sendable, Equatable {
    /// It answers the modern context.
    case modern
    /// It wants `initialize`.
    case legacy
}

/// What a server's message means to whoever runs it.
public enum ServerEvent: Sendable {
    /// Nothing.
    case nothing
    /// The handshake is over, and what it offers is listed when that was asked for.
    case ready(Offer?)
    /// What it offers, or a part of it, was listed anew.
    case listed(Offer)
    /// The list of tools that was asked for anew cannot be used; the cause, for people.
    case listFailed(cause: String)
    /// The server says that one of its lists has changed.
    case changed(ListKind)
    /// The server says that a resource has changed, by its own URI.
    case updated(String)
    /// The server logs something.
    case logged
    /// A legacy server asks for something, under its own id.
    case asked(RequestID, Ask.Kind)
    /// The handshake failed for good; the step and the cause, for people.
    case failed(step: String, cause: String)
    /// The process has to be replaced by a fresh one that gets `initialize` at once.
    case respawn
    /// The answer to the call with this number, if it still is in flight.
    case answer(Int)
    /// Progress of the call with this number.
    case progress(Int)
    /// The answer to the ping that `ping` sent.
    case pong
}

/// One server process's session: the probe for its era, the handshake, its lists, and the
/// numbers of what is sent to it.
///
/// Ids and progress tokens towards a server are the broker's own integers, counted up; what a
/// reply of any other form answers is nobody's.
public struct ServerFace: Sendable {
    /// How the era is found out.
    public enum Mode: Sendable, Equatable {
        /// Ask with `server/discover` first.
        case probe
        /// It is known, from the card or from an earlier start.
        case known(EraVerdict)
    }

    enum State: Sendable, Equatable {
        case probing(id: Int, isRetry: Bool)
        case initializing(id: Int)
        case listing
        case ready
        case over
    }

    var state = State.over
    /// The era, once it is known.
    public internal(set) var verdict: EraVerdict?
    /// The revision that was settled on; empty before.
    public internal(set) var version = ""
    /// Whether a probe may still be answered by a fresh process and `initialize`.
    var mayRespawn = false
    var wantsLists = false
    /// What the server says about itself; nothing before the handshake is over.
    public internal(set) var capabilities = ServerCapabilities()
    /// What the server may ask of clients.
    var mayAsk: Set<Ask.Kind> = []
    var nextID = 1
    /// The list that is being asked for.
    var listing: Listing?
    /// The lists that are asked for after it.
    var nextLists: [ListKind] = []
    /// What was listed since the last event that told of it.
    var offer = Offer()
    var pingID: Int?
    /// The `subscriptions/listen` that a modern server tells of changes under.
    var listenID: Int?
    /// The resources that the server was asked to tell of.
    var subscribed: Set<String> = []
    private var noiseLines = 0
    private var noiseBytes = 0

    /// Makes the session of a process that has just been started.
    public init() {}

    /// The era in which calls are sent; meaningful when ready.
    public var era: Era { verdict == .modern ? .modern : .legacy }

    /// Whether calls may be sent.
    public var isReady: Bool { state == .ready }

    /// Sends the first message; `lists` asks for what it offers before it is ready, `asks` is what
    /// it may ask of clients.
    public mutating func start(
        _ mode: Mode, lists: Bool, asks: Set<Ask.Kind> = [], into out: inout LineWriter
    ) {
        wantsLists = lists
        mayAsk = asks
        switch mode {
        case .probe:
            mayRespawn = true
            probe(isRetry: false, into: &out)
        case .known(.modern):
            // A modern server needs no handshake; asking tells whether it still is one.
            probe(isRetry: true, into: &out)
        case .known(.legacy):
            initialize(into: &out)
        }
    }

    /// The server's output ended, or it exited, before it was ready.
    public mutating func ended() -> ServerEvent {
        defer { state = .over }
        switch state {
        case .probing where mayRespawn: return .respawn
        case .probing, .initializing:
            return .failed(step: "handshake", cause: "the server ended before its first answer")
        case .listing:
            return .failed(step: "list tools", cause: "the server ended before it answered")
        case .ready, .over: return .nothing
        }
    }

    /// The time for the handshake is over.
    public mutating func timedOut() -> ServerEvent {
        defer { state = .over }
        switch state {
        case .probing where mayRespawn: return .respawn
        case .probing, .initializing:
            return .failed(step: "handshake", cause: "the server did not answer in time")
        case .listing:
            return .failed(step: "list tools", cause: "the server did not answer in time")
        case .ready, .over: return .nothing
        }
    }

    /// A line that is no message; false when there were too many of them.
    public mutating func noise(bytes: Int) -> Bool {
        noiseLines += 1
        noiseBytes += bytes
        return noiseLines <= Limit.noiseLines && noiseBytes <= Limit.noiseBytes
    }

    /// How many lines of its output were no messages.
    public var noiseCount: Int { noiseLines }

    /// Takes the next number for a request.
    mutating func takeID() -> Int {
        defer { nextID += 1 }
        return nextID
    }
}

extension ServerFace {
    /// Asks whether it lives; the answer is `pong`.
    public mutating func ping(into out: inout LineWriter) {
        let id = takeID()
        pingID = id
        // The modern era has no ping; discovering is answered by every modern server.
        if era == .modern {
            modernRequest(id, "server/discover", into: &out)
        } else {
            out.request(.integer(id), "ping")
        }
    }

    /// Asks for lists anew that are not waited for already; false when the server has none of them.
    public mutating func list(_ kinds: [ListKind], into out: inout LineWriter) -> Bool {
        let offered = kinds.filter { capabilities.offers($0) }
        guard state == .ready, !offered.isEmpty else { return false }
        nextLists += offered.filter { !nextLists.contains($0) }
        if listing == nil { requestNextList(into: &out) }
        return true
    }

    /// Says that a call is no longer waited for.
    public func cancel(_ number: Int, reason: String, into out: inout LineWriter) {
        out.notification(
            "notifications/cancelled", ["requestId": .integer(number), "reason": .string(reason)])
    }

    /// Sends a call under the server's own name for what is meant, and gives the number that its
    /// answer will carry.
    public mutating func call(
        _ call: ClientCall, own name: String, asks: Set<Ask.Kind> = [],
        into out: inout LineWriter
    ) -> Int {
        let number = takeID()
        out.text("{\"jsonrpc\":\"2.0\",\"id\":")
        out.integer(number)
        out.text(",\"method\":\"\(call.kind.method)\",\"params\":{")
        call.writeTarget(name, into: &out)
        if era == .modern { call.writeRound(into: &out) }
        writeMeta(of: call, number: number, asks: asks, into: &out)
        out.text("}}\n")
        return number
    }

    /// Writes the `_meta` of a call: the context of the modern era, the broker's own token, and
    /// what else the client gave.
    private func writeMeta(
        of call: ClientCall, number: Int, asks: Set<Ask.Kind>, into out: inout LineWriter
    ) {
        var separator = ",\"_meta\":{"
        if era == .modern {
            out.text(separator)
            out.text(asks.isEmpty ? ServerFace.context : ServerFace.context(asks))
            separator = ","
        }
        if era == .modern, let level = call.logLevel {
            out.text(separator)
            out.text("\"\(Key.metaLogLevel.spelling)\":\"\(level.rawValue)\"")
            separator = ","
        }
        if call.progressToken != nil {
            out.text(separator)
            out.text("\"progressToken\":")
            out.integer(number)
            separator = ","
        }
        for member in call.meta {
            out.text(separator)
            out.member(call.source, member, hasReturns: call.hasReturns)
            separator = ","
        }
        if separator == "," { out.text("}") }
    }

    mutating func probe(isRetry: Bool, into out: inout LineWriter) {
        let id = takeID()
        state = .probing(id: id, isRetry: isRetry)
        modernRequest(id, "server/discover", into: &out)
    }

    mutating func initialize(into out: inout LineWriter) {
        let id = takeID()
        verdict = .legacy
        state = .initializing(id: id)
        out.request(
            .integer(id), "initialize",
            [
                "protocolVersion": .string(ProtocolVersion.legacy[0]),
                "capabilities": ClientCapabilities.json(mayAsk),
                "clientInfo": ServerFace.clientInfo,
            ])
    }

    /// Asks for the first page of the list that comes next.
    mutating func requestNextList(into out: inout LineWriter) {
        guard !nextLists.isEmpty else { return }
        listing = Listing(nextLists.removeFirst())
        requestPage(cursor: nil, into: &out)
    }

    /// Asks for one page of the list that is under way.
    mutating func requestPage(cursor: String?, into out: inout LineWriter) {
        guard var list = listing else { return }
        let id = takeID()
        list.pageID = id
        listing = list
        var members: JSONObject = [:]
        members["cursor"] = cursor.map(JSON.string)
        if era == .modern {
            modernRequest(id, list.kind.method, members, into: &out)
        } else {
            out.request(.integer(id), list.kind.method, .object(members))
        }
    }

    func modernRequest(
        _ id: Int, _ method: String, _ members: JSONObject = [:], into out: inout LineWriter
    ) {
        var params = members
        params["_meta"] = [
            Key.metaProtocolVersion.spelling: .string(ProtocolVersion.modern),
            Key.metaClientCapabilities.spelling: [:],
            Key.metaClientInfo.spelling: ServerFace.clientInfo,
        ]
        out.request(.integer(id), method, .object(params))
    }

    /// What the broker tells servers about itself.
    static let clientInfo: JSON = ["name": "corral", "version": .string(Software.version)]

    /// The members of `_meta` that every modern request carries.
    private static let context = context([])

    /// The same for a call whose client answers what the server may ask.
    private static func context(_ asks: Set<Ask.Kind>) -> String {
        "\"\(Key.metaProtocolVersion.spelling)\":\"\(ProtocolVersion.modern)\","
            + "\"\(Key.metaClientCapabilities.spelling)\":\(ClientCapabilities.json(asks).text),"
            + "\"\(Key.metaClientInfo.spelling)\":\(clientInfo.text)"
    }
}

/// What this software says about itself.
public enum Software {
    /// Its version.
    public static let version = "0.1.0"
}
