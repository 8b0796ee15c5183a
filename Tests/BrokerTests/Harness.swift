import Broker
import Configuration
import JSONRPC
import Kernel
import Logging
import SupervisorProtocol
import Synchronization
import Testing

/// A broker in this process, with a fake supervisor and fake servers, on a socket in a directory
/// of its own.
final class Harness {
    let supervisor: FakeSupervisor
    let directory: String
    private let service: BrokerService
    private var isStopped = false
    /// Access rules that hold after a reload.
    let next = Next()

    private init(
        _ directory: String, scripts: [String: FakeServer.Script],
        installations: [String: FakeSupervisor.Installation], access: String, limits: [String],
        network: [String], sandboxUsers: Range<UInt32>, meters: [String: Meters]
    ) throws {
        self.directory = directory
        let cards = Set(scripts.keys).union(installations.keys).union(["unstartable"])
        let installed = Set(installations.keys)
        let policies = try Harness.policies(
            cards: cards, installed: installed, access: access, limits: limits, network: network)
        let reload = { @Sendable [next] in
            try Harness.policies(
                cards: cards, installed: installed,
                access: next.access.withLock { $0 } ?? access, limits: limits, network: network)
        }
        let pair = try Socket.seqpacketPair()
        let listener = try Socket.listen(at: directory + "/control.sock", backlog: 16)
        var log = Logger(label: "broker") { _ in SwiftLogNoOpLogHandler() }
        log.logLevel = .critical
        let theirs = try pair.theirs.duplicate()
        supervisor = try FakeSupervisor(
            owning: try pair.ours.duplicate(), scripts: scripts, installations: installations,
            meters: meters)
        service = try BrokerService(
            BrokerSettings(
                controlSocket: listener.release(), supervisorSocket: theirs.release(),
                state: directory, policies: policies,
                sandboxUsers: sandboxUsers, loadPolicies: reload),
            log: log, onEnd: {})
    }

    /// Calls that are not answered end soon.
    static let soon = "call_timeout: {default: 1s, max: 1s}"

    /// Runs a test against a fresh broker and takes everything away again.
    static func run(
        _ scripts: [String: FakeServer.Script] = [:],
        installations: [String: FakeSupervisor.Installation] = [:],
        access: String = "allow: [{users: ['*'], cards: ['*'], tools: ['*']}]",
        limits: [String] = [], network: [String] = [], sandboxUsers: Range<UInt32> = 0..<0,
        meters: [String: Meters] = [:], _ body: (Harness) throws -> Void
    ) throws {
        try inDirectory { directory in
            try run(
                scripts, installations: installations, access: access, limits: limits,
                network: network, sandboxUsers: sandboxUsers, meters: meters, in: directory, body)
        }
    }

    /// Makes a directory for a test and takes it away again.
    static func inDirectory(_ body: (String) throws -> Void) throws {
        let name = try System.random(8).map { String($0, radix: 16) }.joined()
        let directory = "/tmp/corral-broker-test-" + name
        try Files.makeDirectory(directory, mode: 0o700)
        defer {
            do {
                try Files.removeTree(directory)
            } catch {
                Issue.record("\(directory) is left: \(error)")
            }
        }
        try body(directory)
    }

    /// Runs a test against a broker whose state is in a directory.
    static func run(
        _ scripts: [String: FakeServer.Script],
        installations: [String: FakeSupervisor.Installation] = [:],
        access: String = "allow: [{users: ['*'], cards: ['*'], tools: ['*']}]",
        limits: [String] = [], network: [String] = [], sandboxUsers: Range<UInt32> = 0..<0,
        meters: [String: Meters] = [:], in directory: String, _ body: (Harness) throws -> Void
    ) throws {
        try Files.remove(directory + "/control.sock")
        let harness = try Harness(
            directory, scripts: scripts, installations: installations, access: access,
            limits: limits, network: network, sandboxUsers: sandboxUsers, meters: meters)
        let result = Result { try body(harness) }
        try harness.stop()
        try harness.supervisor.close()
        try result.get()
    }

    /// Stops the broker in good order.
    func stop() throws {
        guard !isStopped else { return }
        isStopped = true
        try service.stop()
    }

    /// A new client.
    func client() throws -> TestClient {
        try TestClient(try Socket.connect(to: directory + "/control.sock"))
    }

    /// A new client with a connection from each of these cards, under the card's name.
    func client(connecting cards: [String]) throws -> TestClient {
        let client = try client()
        for card in cards {
            let answer = try client.request("corral/connections/register", ["card": .string(card)])
            try #require(answer["result"] != nil, "\(answer.text)")
        }
        return client
    }

    private static func policies(
        cards: Set<String>, installed: Set<String>, access: String, limits: [String],
        network: [String]
    ) throws -> PolicySet {
        typealias File = PolicySet.Contents.File
        func file(_ name: String, _ text: String) -> File {
            File(name: name, bytes: Array(text.utf8))
        }
        return try PolicySet(
            PolicySet.Contents(
                access: file("access.yaml", "version: 1\n\(access)\n"),
                policies: [file("default.yaml", policy(limits, network))],
                profiles: [
                    file(
                        "syscalls/default.yaml",
                        "version: 1\nname: default\ndefault: allow\nentries: []\n")
                ],
                cards: cards.sorted().map {
                    file("\($0).yaml", card($0, isInstalled: installed.contains($0)))
                },
                locks: installed.sorted().map { file("\($0).lock", lock) }))
    }

    private static func card(_ name: String, isInstalled: Bool) -> String {
        """
        version: 1
        name: \(name)
        title: \(name)
        description: a fake
        command: [/bin/fake]
        \(isInstalled ? "install: {pypi: [fake==1.0], lock: \(name).lock}" : "")
        settings:
          - {name: mode, kind: choice, choices: [a, b], hint: which}
        credentials:
          - {name: token, env: TOKEN, required: \(name == "secret"), hint: "from the site"}
        tools: {deny: ["delete_*"]}
        \(name.hasPrefix("net") ? "network: {allow: ['api.example.com:443']}" : "")
        client_requests: \(name.hasPrefix("asking") ? "[elicitation, sampling, roots]" : "[]")
        """
    }

    private static let lock =
        "fake==1.0 --hash=sha256:\(String(repeating: "0", count: 64))\n"

    private static func policy(_ limits: [String], _ network: [String]) -> String {
        """
        version: 1
        name: default
        limits:
          response: 64KiB
        \(limits.map { "  " + $0 }.joined(separator: "\n"))
        network:
          allow: ['api.example.com:443']
        \(network.map { "  " + $0 }.joined(separator: "\n"))
        syscalls: default
        """
    }
}

/// What a reload finds.
final class Next: Sendable {
    /// The access rules; nil for those from the start.
    let access = Mutex<String?>(nil)
}

/// A client on the control socket that waits for what it asked for.
final class TestClient {
    private let socket: Descriptor
    private var framer = LineFramer(limit: 64 << 20)
    private var lastID = 0
    /// The requests that were sent, each with the revision it was sent in.
    private var asked: [Int: (method: String, revision: String?)] = [:]
    /// The revision of the legacy session; nil before there is one.
    private var revision: String?
    /// Descriptors that came along; the test closes them.
    private var descriptors: [CInt] = []
    /// Messages that were not what was waited for.
    private(set) var others: [JSON] = []

    /// A test that waits in vain fails instead of hanging.
    private static let patience = 20_000

    init(_ socket: consuming Descriptor) throws {
        self.socket = socket
        try Socket.setReceiveTimeout(of: self.socket.raw, milliseconds: TestClient.patience)
    }

    /// The descriptors that have come.
    func takeDescriptors() -> [CInt] {
        defer { descriptors = [] }
        return descriptors
    }

    /// Sends bytes as they are.
    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Sends bytes as they are, and takes what comes when there is no room for them: the broker
    /// reads nobody who does not read.
    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while true {
            rest = rest.dropFirst(try Socket.sendNow(rest, over: socket.raw))
            if rest.isEmpty { return }
            let both = Interest(socket.raw, readable: true, writable: true)
            let ready = try poll([both], milliseconds: TestClient.patience)[0]
            guard ready.readable || ready.writable else { throw NothingCame() }
            if ready.readable, !ready.writable { try take() }
        }
    }

    /// The next message.
    func receive() throws -> JSON {
        while true {
            if case .line(let range) = framer.next() {
                let message = try JSON.parse(framer.bytes, in: range)
                compare(message)
                return message
            }
            try take()
        }
    }

    /// Takes what has come, or comes next.
    private func take() throws {
        let part = try Socket.receive(limit: 64 << 10, descriptors: 16, over: socket.raw)
        guard let part else { throw NothingCame() }
        descriptors += part.descriptors
        try #require(!part.bytes.isEmpty, "the broker has closed the connection")
        framer.append(part.bytes)
    }

    /// Whether the broker has closed the connection, when nothing else comes.
    func isClosed() throws -> Bool { try socket.read(limit: 1)?.isEmpty ?? false }

    /// Holds a message of the broker's against the schema of its revision.
    private func compare(_ message: JSON) {
        let request = message["id"]?.intValue.flatMap { asked[$0] }
        let isAnswer = message["method"] == nil
        guard let revision = isAnswer ? request?.revision : revision,
            let specification = Specification.of(revision)
        else { return }
        let problem =
            isAnswer
            ? request.flatMap { specification.problem(with: message, to: $0.method) }
            : specification.problem(with: message)
        #expect(problem == nil, "\(revision): \(problem ?? ""): \(message.text.prefix(2_000))")
    }

    /// Sends a request and gives its id.
    func ask(_ method: String, _ params: JSON = [:]) throws -> Int {
        lastID += 1
        let isModern =
            params["_meta"]?["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
        asked[lastID] = (method, isModern ? "2026-07-28" : revision)
        let request: JSON = [
            "jsonrpc": "2.0", "id": .integer(lastID), "method": .string(method), "params": params,
        ]
        try send(request.text + "\n")
        return lastID
    }

    /// Waits for the answer to a request; what comes before it is kept in `others`.
    func answer(to id: Int) throws -> JSON {
        func isAnswer(_ message: JSON) -> Bool {
            message["id"]?.intValue == id && message["method"] == nil
        }
        if let index = others.firstIndex(where: isAnswer) { return others.remove(at: index) }
        while true {
            let message = try receive()
            if isAnswer(message) { return message }
            others.append(message)
        }
    }

    /// Sends a request and waits for its answer.
    func request(_ method: String, _ params: JSON = [:]) throws -> JSON {
        try answer(to: ask(method, params))
    }

    /// Begins a legacy session.
    func initialize(_ version: String = "2025-06-18", capabilities: JSON = [:]) throws {
        revision = version
        let answer = try request(
            "initialize",
            [
                "protocolVersion": .string(version), "capabilities": capabilities,
                "clientInfo": ["name": "test", "version": "1"],
            ])
        #expect(answer["result"]?["protocolVersion"]?.stringValue == version)
        try send(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"# + "\n")
    }

    /// Calls a tool in the modern era.
    func call(_ tool: String, _ arguments: JSON = [:]) throws -> JSON {
        try request(
            "tools/call", TestClient.modern(["name": .string(tool), "arguments": arguments]))
    }

    /// Params with the modern context.
    static func modern(
        _ params: JSON = [:], token: JSON? = nil, capabilities: JSON = [:]
    ) -> JSON {
        var params = params
        var meta: JSON = [
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        ]
        meta["progressToken"] = token
        params["_meta"] = meta
        return params
    }
}

/// A test waited in vain.
struct NothingCame: Error {}
