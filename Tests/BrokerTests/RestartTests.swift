import JSONRPC
import Store
import SupervisorProtocol
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct RestartTests {
    private let scripts: [String: FakeServer.Script] = [
        "time": { server, start in
            #expect(start.request.credentials.map(\.value) == ["hush"])
            #expect(start.request.settings.map(\.values) == [["b"]])
            return try server.serveLegacy()
        }
    ]

    private let params: JSON = [
        "card": "time", "settings": ["mode": "b"], "credentials": ["token": "hush"],
    ]

    @Test func `connections, their tools and credentials are there after a restart`() throws {
        try Harness.inDirectory { directory in
            try Harness.run(scripts, in: directory) { harness in
                let client = try harness.client()
                let answer = try client.request("corral/connections/register", params)
                #expect(answer["result"] != nil, "\(answer.text)")
            }
            try Harness.run(scripts, in: directory) { harness in
                let client = try harness.client()
                let tools = try client.request("tools/list", TestClient.modern())["result"]
                #expect(tools?["tools"]?.arrayValue?.map { $0["name"] } == ["time__echo"])
                // Nothing was started for that.
                #expect(harness.supervisor.starts(of: "time") == 0)
                let list = try client.request("corral/connections/list")["result"]
                #expect(list?["connections"]?.arrayValue?.first?["state"] == "idle")
                #expect(try client.call("time__echo")["result"] != nil)
                #expect(harness.supervisor.starts(of: "time") == 1)
            }
        }
    }

    @Test func `every finished call is recorded once`() throws {
        try Harness.inDirectory { directory in
            try Harness.run(scripts, in: directory) { harness in
                let client = try harness.client()
                _ = try client.request("corral/connections/register", params)
                for _ in 0..<10 { _ = try client.call("time__echo") }
                let now = try client.request("corral/connections/get", ["name": "time"])["result"]
                #expect(now?["usageCount"] == 10)
                #expect(now?["lastUsed"]?.stringValue != nil)
            }
            let store = try Store(path: directory + "/broker.db")
            #expect(try store.usageCounts().map(\.calls) == [10])
            #expect(try store.connections().map(\.usageCount) == [10])
        }
    }
}
