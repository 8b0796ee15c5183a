import JSONRPC
import SupervisorProtocol
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct ControlMethodTests {
    private let scripts: [String: FakeServer.Script] = [
        "time": { server, _ in try server.serveLegacy(tools: ["now", "delete_all"]) },
        "secret": { server, start in
            #expect(start.request.credentials.map(\.value) == ["hush"])
            return try server.serveModern()
        },
    ]

    @Test func `registering stores, tests and lists, with progress`() throws {
        let installation = FakeSupervisor.Installation(log: ["fine"])
        try Harness.run(scripts, installations: ["time": installation]) { harness in
            let client = try harness.client()
            let params = TestClient.modern(
                ["card": "time", "name": "clock", "settings": ["mode": "a"]], token: "p")
            let answer = try client.request("corral/connections/register", params)
            let connection = try #require(answer["result"], "\(answer.text)")
            #expect(connection["name"] == "clock")
            #expect(connection["card"] == "time")
            #expect(connection["state"] == "ready")
            #expect(connection["settings"] == ["mode": "a"])
            #expect(connection["tools"]?.arrayValue?.count == 2)
            #expect(connection["resultType"] == "complete")
            #expect(
                client.others.map { $0["params"]?["message"]?.stringValue } == [
                    "installing time", "starting clock", "storing clock",
                ])
            let list = try client.request("corral/connections/list")
            #expect(list["result"]?["connections"]?.arrayValue?.count == 1)
            let again = try client.request("corral/connections/register", params)
            #expect(again["error"]?["code"] == 1003)
        }
    }

    @Test func `tools are listed in both eras, without those that are denied`() throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["time"])
            let modern = try client.request("tools/list", TestClient.modern())["result"]
            #expect(modern?["tools"]?.arrayValue?.map { $0["name"] } == ["time__now"])
            #expect(modern?["ttlMs"] == 0)
            try client.initialize()
            let legacy = try client.request("tools/list")["result"]
            #expect(legacy?["tools"]?.arrayValue?.count == 1)
            #expect(legacy?["ttlMs"] == nil)
            let denied = try client.call("time__delete_all")
            #expect(denied["error"]?["code"] == 1001)
            #expect(denied["error"]?["data"]?["rule"] == "tools.deny")
            #expect(denied["error"]?["data"]?["file"] == "time.yaml")
            let unknown = try client.call("time__no_such")
            #expect(unknown["error"]?["code"] == -32602)
        }
    }

    @Test func `a rule of access decides who may register and call`() throws {
        let access = """
            allow: [{users: ['*'], cards: [time], tools: ['*']}]
            deny: [{users: ['*'], cards: [time], tools: [now]}]
            """
        try Harness.run(scripts, access: access) { harness in
            let client = try harness.client(connecting: ["time"])
            let call = try client.call("time__now")
            #expect(call["error"]?["code"] == 1001)
            #expect(call["error"]?["data"]?["rule"] == "deny[0]")
            #expect(call["error"]?["data"]?["line"] == 3)
            let other = try client.request(
                "corral/connections/register", ["card": "secret", "credentials": ["token": "x"]])
            #expect(other["error"]?["code"] == 1001)
            let cards = try client.request("corral/cards/list")
            #expect(cards["result"]?["cards"]?.arrayValue?.map { $0["name"] } == ["time"])
        }
    }

    @Test(
        arguments: [
            (["card": "nope"], 1004), (["card": "time", "name": "Bad Name"], 1005),
            (["card": "time", "settings": ["mode": "z"]], 1005),
            (["card": "time", "settings": ["other": "z"]], 1005), (["card": "secret"], 1006),
            (["card": "secret", "credentials": ["token": "x", "key": "y"]], 1005),
            (["card": "time", "more": 1], -32602), ([:], -32602),
        ] as [(JSON, Int)])
    func `what cannot be registered is refused with its reason`(params: JSON, code: Int) throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client()
            let answer = try client.request("corral/connections/register", params)
            #expect(answer["error"]?["code"]?.intValue == code, "\(answer.text)")
            #expect(harness.supervisor.starts(of: "time") == 0)
        }
    }

    @Test func `credentials reach the server and nobody else`() throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client()
            let answer = try client.request(
                "corral/connections/register",
                ["card": "secret", "credentials": ["token": "hush"]])
            #expect(answer["result"]?["credentials"] == ["token"])
            #expect(!answer.text.contains("hush"))
        }
    }

    @Test func `removing forgets a connection and stops its server`() throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["time"])
            #expect(harness.supervisor.running == 1)
            #expect(
                try client.request("corral/connections/remove", ["name": "time"])["result"] == [:])
            #expect(try client.request("corral/connections/list")["result"]?["connections"] == [])
            #expect(try client.call("time__now")["error"]?["code"] == -32602)
            let gone = try client.request("corral/connections/get", ["name": "time"])
            #expect(gone["error"]?["code"] == 1002)
        }
    }

    @Test func `a test of a connection tells its steps`() throws {
        let scripts: [String: FakeServer.Script] = [
            "once": { server, start in
                guard start.earlier == 0 else { return server.ending(status: 7) }
                return try server.serveLegacy { server, _ in server.ending() }
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["once"])
            func test() throws -> JSON {
                try client.request("corral/connections/test", ["name": "once"])
            }
            let well = try test()
            #expect(well["result"]?["passed"] == true, "\(well.text)")
            #expect(
                well["result"]?["steps"]?.arrayValue?.map { $0["name"] }
                    == ["start", "handshake", "list tools"])
            _ = try client.call("once__echo")
            let ill = try test()
            #expect(ill["result"]?["passed"] == false)
            #expect(
                ill["result"]?["steps"]?.arrayValue?.map { $0["outcome"] }
                    == ["passed", "failed", "skipped"], "\(ill.text)")
            #expect(ill["result"]?["failure"]?["code"] == 1011)
            let now = try client.request("corral/connections/get", ["name": "once"])
            #expect(now["result"]?["state"] == "failed")
        }
    }

    @Test func `posture tells what the supervisor saw, and starts nothing`() throws {
        try Harness.run(["time": { s, _ in try s.serveLegacy() }]) { harness in
            let client = try harness.client(connecting: ["time"])
            func posture(_ name: String) throws -> JSON {
                try client.request("corral/connections/posture", ["name": .string(name)])
            }
            let seen = try posture("time")
            #expect(seen["result"]?["holds"] == false, "\(seen.text)")
            let rows = try #require(seen["result"]?["rows"]?.arrayValue)
            #expect(rows.map { $0["ok"] } == [true, false])
            #expect(rows.last?["found"] == "max")
            #expect(try posture("other")["error"]?["code"] == 1002)
        }
    }

    @Test func `a restricted session sees one connection only`() throws {
        try Harness.run(scripts.merging(["other": { s, _ in try s.serveLegacy() }]) { $1 }) {
            harness in
            let client = try harness.client(connecting: ["time", "other"])
            #expect(
                try client.request("corral/session/restrict", ["connection": "other"])["result"]
                    == [:])
            let tools = try client.request("tools/list", TestClient.modern())["result"]
            #expect(tools?["tools"]?.arrayValue?.map { $0["name"] } == ["other__echo"])
            #expect(try client.call("time__now")["error"]?["code"] == -32602)
            let wider = try client.request("corral/session/restrict", ["connection": "time"])
            #expect(wider["error"]?["code"] == 1001)
        }
    }

    @Test func `whoami and status know the caller and the figures`() throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["time"])
            let me = try client.request("corral/whoami")["result"]
            #expect(me?["cards"]?.arrayValue?.contains("time") == true)
            #expect(me?["uid"]?.intValue != nil)
            let status = try client.request("corral/status")["result"]
            #expect(status?["connections"] == 1)
            #expect(status?["sandboxes"] == 1)
            #expect(status?["clients"] == 1)
            #expect(try client.request("corral/no/such")["error"]?["code"] == -32601)
        }
    }
}
