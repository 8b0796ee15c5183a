import Control
import JSONRPC
import Testing

@Suite struct MessageTests {
    /// What a value becomes after a journey as bytes.
    private func travelled<Value: ControlValue>(_ value: Value) throws -> Value {
        try Value(json: try JSON.parse(value.json.serialized()))
    }

    private let connection = Connection(
        id: "0b2d1f2e-0000-4000-8000-000000000001", name: "git", card: "git", state: .failed,
        failure: Failure(.startFailed, "cannot start 'git': exec: no such file", log: ["trace"]),
        settings: ["repository": .text("/srv/r"), "command": .words(["a", "b c"])],
        credentials: ["token"],
        tools: [Tool(name: "git__log", title: "Log", description: "shows"), Tool(name: "git__x")],
        createdAt: "2026-07-28T12:00:00.000Z", lastUsed: "2026-07-29T12:00:00.000Z", usageCount: 7)

    private let card = Card(
        name: "git", title: "Git", description: "A repository",
        settings: [
            Card.Setting(name: "repository", kind: .directory, required: true, hint: "a path"),
            Card.Setting(
                name: "mode", kind: .choice, required: false, standard: "a", choices: ["a", "b"]),
        ],
        credentials: [Card.Credential(name: "token", required: true, hint: "where")],
        network: ["api.github.com:443"])

    @Test func `a connection comes back as it went`() throws {
        #expect(try travelled(connection) == connection)
        var idle = connection
        idle.state = .idle
        idle.failure = nil
        idle.lastUsed = nil
        #expect(
            try travelled(ConnectionsList.Result(connections: [idle, connection]))
                == ConnectionsList.Result(connections: [idle, connection]))
    }

    @Test func `a card comes back as it went`() throws {
        #expect(try travelled(CardsList.Result(cards: [card])) == CardsList.Result(cards: [card]))
    }

    @Test func `what the network did comes back as it went`() throws {
        let decision = NetworkDecision(
            id: "8f3a", time: "2026-07-28T12:00:00.000Z", user: "1000", origin: .connection,
            subject: "web", policy: "default", calls: 1, call: "c", tools: "fetch", kind: .connect,
            name: "a.example", address: "fd00::1", port: 443, reason: .deniedSet, set: "private",
            rule: "", place: "policies/default.yaml:21", count: 3)
        #expect(decision.destination == "[fd00::1]:443")
        var ended = decision
        (ended.reason, ended.set, ended.call) = (nil, nil, nil)
        ended.ending = NetworkEnd(sent: 1, received: 2, microseconds: 3, cause: "idle", errno: 4)
        let open = ConnectionsNetwork.Open(
            id: "1", subject: "web", name: "", address: "1.2.3.4", port: 5, seconds: 6, sent: 7,
            received: 8)
        let result = ConnectionsNetwork.Result(
            available: true, open: [open], decisions: [decision, ended], next: 9, missed: 10)
        #expect(try travelled(result) == result)
        let why = Why.Result(decision: ended, allowPlace: "a:1")
        #expect(try travelled(why) == why)
        for params in [ConnectionsNetwork.Params(), .init(name: "x", lines: 3, after: 0)] {
            #expect(try travelled(params) == params)
        }
        #expect(throws: ControlError.self) {
            try ConnectionsNetwork.Params(json: ["lines": 0])
        }
        #expect(throws: ControlError.self) {
            try ConnectionsNetwork.Params(json: ["after": -1])
        }
        #expect(try travelled(Why.Params(id: "8f")) == Why.Params(id: "8f"))
        let reload = Reload.Result(mistakes: ["a:1:2: no"])
        #expect(try travelled(reload) == reload)
        let run = Run.Params(policy: "p", command: ["x"], allow: ["a.example:443"])
        #expect(try travelled(run) == run)
    }

    @Test func `what a call was refused comes back, and is told in lines`() throws {
        let network = CallNetwork(
            denied: [
                .init(
                    id: "8f3a", destination: "169.254.169.254:80", reason: .deniedSet,
                    set: "metadata", rule: "network.deny: metadata",
                    file: "policies/default.yaml", line: 21),
                .init(
                    id: "8f3b", destination: "1.2.3.4:5", name: "a\u{1b}.example",
                    reason: .connections),
            ], more: 2, shared: true, unavailable: true)
        var failure = Failure(.timeout, "cannot call 'x'")
        failure.network = network
        #expect(try travelled(failure).network == network)
        #expect(
            network.lines == [
                "network_denied: 169.254.169.254:80 (metadata), policies/default.yaml:21, "
                    + "corral why 8f3a",
                "network_denied: 1.2.3.4:5 for a\\x1b.example (network.connections), "
                    + "corral why 8f3b",
                "network_denied: 2 more, see `corral net`",
                "network_unavailable: the way out of the sandbox was gone meanwhile",
            ])
        #expect(CallNetwork().isEmpty && CallNetwork().lines.isEmpty)
    }

    @Test func `register carries name, card, settings and credentials`() throws {
        let params = ConnectionsRegister.Params(
            name: "mine", card: "custom", settings: ["command": .words(["x", "-v"])],
            credentials: ["token": Secret("s3cret")])
        #expect(try travelled(params) == params)
        #expect(params.json["credentials"]?["token"] == "s3cret")
    }

    @Test func `register takes the card's name when none is given`() throws {
        let params = try ConnectionsRegister.Params(json: ["card": "time"])
        #expect(params.name == "time")
        #expect(params.settings.isEmpty && params.credentials.isEmpty)
    }

    @Test func `the other params and results come back as they went`() throws {
        let whoami = Whoami.Result(
            user: "ada", uid: 1000, groups: ["corral"], cards: ["time"], mayRunCommands: false,
            run: ["default"],
            admin: true, connectionsMax: 10)
        #expect(try travelled(whoami) == whoami)
        let test = ConnectionsTest.Result(
            steps: [
                .init(name: "start", outcome: .passed, detail: "pid 1", milliseconds: 900),
                .init(name: "list tools", outcome: .skipped, detail: "", milliseconds: 0),
            ], failure: Failure(.timeout, "cannot test 'x': handshake: no answer"))
        #expect(try travelled(test) == test)
        #expect(!test.passed)
        let posture = ConnectionsPosture.Result(rows: [
            .init(group: "cgroup", name: "pids.max", wanted: "128", found: "max", ok: false)
        ])
        #expect(try travelled(posture) == posture)
        #expect(posture.json["holds"] == false)
        let logs = ConnectionsLogs.Params(name: "time", lines: 5)
        #expect(try travelled(logs) == logs)
        let piece = ConnectionsLogs.Result(lines: ["a", "b"], next: 7, missed: 2)
        #expect(try travelled(piece) == piece)
        let later = ConnectionsLogs.Params(name: "time", lines: 5, after: 7)
        #expect(try travelled(later) == later)
        #expect(throws: ControlError.self) {
            try ConnectionsLogs.Params(json: ["name": "x", "after": -1])
        }
        let status = DaemonStatus.Result(
            version: "0.1.0", uptimeSeconds: 5, clients: 1, sandboxes: 2, connections: 3)
        #expect(try travelled(status) == status)
        let run = Run.Params(
            policy: "default", command: ["cat", "-"],
            mounts: [Run.Mount(path: "/srv", writable: true)],
            environment: [Run.Variable(name: "A", value: "b=c")], directory: "/srv")
        #expect(try travelled(run) == run)
        #expect(try travelled(Run.Result(run: 7)) == Run.Result(run: 7))
        let signal = RunSignal.Params(run: 7, signal: 15)
        #expect(try travelled(signal) == signal)
        let ended = RunEnded(
            run: 7, status: -1, signal: 9, limits: ["pids_exceeded (1)"],
            network: ["network_denied"],
            cpuMicroseconds: 1, memoryPeakBytes: 2)
        #expect(try travelled(ended) == ended)
        let restrict = SessionRestrict.Params(connection: "time")
        #expect(try travelled(restrict) == restrict)
        #expect(try travelled(NameParams(name: "x")) == NameParams(name: "x"))
        #expect(try travelled(Empty()) == Empty())
    }

    @Test(
        arguments: [
            (["nmae": "x"], "params.nmae", "unknown member"),
            ([:], "params.name", "missing"),
            (["name": nil], "params.name", "missing"),
            (["name": 3], "params.name", "expected a string"),
            ([], "params", "expected an object"),
        ] as [(JSON, String, String)])
    func `params with a mistake are refused by the member's path`(
        json: JSON, path: String, problem: String
    ) {
        #expect(throws: ControlError(path: path, problem: problem)) { try NameParams(json: json) }
    }

    @Test func `params take MCP's envelope beside their own members`() throws {
        #expect(try NameParams(json: ["name": "x", "_meta": ["progressToken": 1]]).name == "x")
    }

    @Test func `a run needs a policy and a command, and refuses what it does not know`() throws {
        let least = try Run.Params(json: ["policy": "p", "command": ["x"]])
        #expect(least == Run.Params(policy: "p", command: ["x"]))
        for json: JSON in [
            ["command": ["x"]], ["policy": "p"], ["policy": "p", "command": "x"],
            ["policy": "p", "command": ["x"], "network": []],
            ["policy": "p", "command": ["x"], "mounts": [["path": "/a"]]],
            ["policy": "p", "command": ["x"], "environment": [["name": "A"]]],
        ] {
            #expect(throws: ControlError.self) { try Run.Params(json: json) }
        }
    }

    @Test(arguments: [0, -1, 10_001]) func `logs refuse a count out of bounds`(lines: Int) {
        #expect(throws: ControlError.self) {
            try ConnectionsLogs.Params(json: ["name": "x", "lines": .integer(lines)])
        }
    }

    @Test func `settings refuse what is neither text nor words`() {
        let json: JSON = ["card": "x", "settings": ["a": ["b": 1]]]
        #expect(throws: ControlError.self) { try ConnectionsRegister.Params(json: json) }
    }

    @Test func `every method's name is its own`() {
        let methods = [
            Whoami.method, ConnectionsRegister.method, ConnectionsList.method,
            ConnectionsGet.method, ConnectionsRemove.method, ConnectionsTest.method,
            ConnectionsRestart.method, ConnectionsLogs.method, ConnectionsPosture.method,
            CardsList.method, CardsGet.method,
            DaemonStatus.method, SessionRestrict.method, Run.method, RunSignal.method,
        ]
        #expect(Set(methods).count == methods.count)
        #expect(methods.allSatisfy { $0.hasPrefix("corral/") })
    }

    @Test func `a secret prints as dots however it is printed`() {
        let params = ConnectionsRegister.Params(
            name: "x", card: "x", credentials: ["token": Secret("hunter2")])
        var dumped = ""
        dump(params, to: &dumped)
        #expect(!"\(params) \(String(reflecting: params)) \(dumped)".contains("hunter2"))
        #expect("\(params)".contains("•••"))
    }
}
