import JSONRPC
import Kernel
import SupervisorProtocol
import Synchronization
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct NoticeTests {
    /// What a server of these tests was asked, by method.
    private final class Asked: Sendable {
        private let all = Mutex<[JSON]>([])
        func note(_ message: JSON) { all.withLock { $0.append(message) } }
        func params(_ method: String) -> [JSON] {
            all.withLock { $0 }.filter { $0["method"]?.stringValue == method }
                .map { $0["params"] ?? nil }
        }
    }

    private static let capabilities: JSON = [
        "tools": [:], "prompts": ["listChanged": true], "logging": [:],
        "resources": ["subscribe": true],
    ]

    /// A server that tells of changes; a call of its tool makes it send what the arguments say.
    private func script(_ era: String, _ asked: Asked) -> FakeServer.Script {
        { server, _ in
            var listen: JSON?
            var prompts = 0
            return try FeatureServer(
                era: era,
                more: { server, message in
                    asked.note(message)
                    switch message["method"]?.stringValue {
                    case "subscriptions/listen": listen = message["id"]
                    case "resources/subscribe", "resources/unsubscribe", "logging/setLevel":
                        server.answer(message, [:])
                    case "prompts/list":
                        prompts += 1
                        let list: JSON = [["name": "p\(prompts)"]]
                        var result: JSON = ["prompts": list]
                        if era == "modern" {
                            result["resultType"] = "complete"
                            result["ttlMs"] = 0
                            result["cacheScope"] = "private"
                        }
                        server.answer(message, result)
                    case "tools/call":
                        for note in message["params"]?["arguments"]?["send"]?.arrayValue ?? [] {
                            var params = note["params"] ?? [:]
                            if let listen, note["method"] != "notifications/message" {
                                params["_meta"] = ["io.modelcontextprotocol/subscriptionId": listen]
                            }
                            server.notify(note["method"]?.stringValue ?? "", params)
                        }
                        _ = FakeServer.echo(server, message)
                    case "server/discover": server.refuse(message, -32601, "Method not found")
                    default: break
                    }
                    return nil
                }, capabilities: Self.capabilities
            ).serve(server, except: "prompts/list")
        }
    }

    private func listen(_ client: TestClient, _ filter: JSON) throws -> Int {
        let id = try client.ask(
            "subscriptions/listen", TestClient.modern(["notifications": filter]))
        let acknowledged = try client.receive()
        #expect(acknowledged["method"] == "notifications/subscriptions/acknowledged")
        let meta = acknowledged["params"]?["_meta"]
        #expect(meta?["io.modelcontextprotocol/subscriptionId"]?.intValue == id)
        #expect(acknowledged["params"]?["notifications"] == filter, "\(acknowledged.text)")
        return id
    }

    @Test(arguments: ["legacy", "modern"])
    func `a list that changed is told to those who listen, in both eras`(era: String) throws {
        let asked = Asked()
        try Harness.run(["s": script(era, asked)]) { harness in
            let caller = try harness.client(connecting: ["s"])
            let old = try harness.client()
            try old.initialize()
            let new = try harness.client()
            let id = try listen(new, ["promptsListChanged": true])
            let send: JSON = [["method": "notifications/prompts/list_changed"]]
            #expect(try caller.call("s__echo", ["send": send])["result"] != nil)
            let told = [try old.receive(), try new.receive()]
            #expect(
                told.map { $0["method"] }
                    == Array(repeating: "notifications/prompts/list_changed", count: 2))
            let meta = told[1]["params"]?["_meta"]
            #expect(meta?["io.modelcontextprotocol/subscriptionId"]?.intValue == id)
            let prompts = try new.request("prompts/list", TestClient.modern())["result"]
            #expect(prompts?["prompts"]?.arrayValue?.map { $0["name"] } == ["s__p2"])
        }
    }

    @Test func `a connection that comes or goes changes the lists`() throws {
        try Harness.run(["s": FeatureServer.legacy]) { harness in
            let listener = try harness.client()
            let id = try listen(listener, ["toolsListChanged": true])
            let other = try harness.client(connecting: ["s"])
            #expect(try listener.receive()["method"] == "notifications/tools/list_changed")
            _ = try other.request("corral/connections/remove", ["name": "s"])
            #expect(try listener.receive()["method"] == "notifications/tools/list_changed")
            // Cancelled, it hears nothing more and gets no answer.
            try listener.send(
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(id)}}"#
                    + "\n")
            _ = try other.request("corral/connections/register", ["card": "s"])
            _ = try other.request("corral/connections/remove", ["name": "s"])
            #expect(try listener.request("corral/whoami")["result"] != nil)
            #expect(listener.others.isEmpty)
        }
    }

    @Test(.enabled(if: Identity.uid == 0, "only root may reload"))
    func `a reload is told, and ends what rules do not allow any more`() throws {
        let asked = Asked()
        try Harness.run(["s": script("legacy", asked)]) { harness in
            let client = try harness.client(connecting: ["s"])
            try client.initialize()
            let uri: JSON = "corral://s/memo://a"
            #expect(try client.request("resources/subscribe", ["uri": uri])["result"] != nil)
            harness.next.access.withLock {
                $0 = "allow: [{users: ['*'], cards: ['*'], tools: [echo]}]"
            }
            #expect(try client.request("corral/reload")["result"]?["mistakes"] == [])
            let methods = try (0..<3).map { _ in try client.receive()["method"]?.stringValue }
            #expect(
                methods
                    == ["tools", "prompts", "resources"].map {
                        "notifications/\($0)/list_changed"
                    })
            let update: JSON = [
                "method": "notifications/resources/updated", "params": ["uri": "memo://a"],
            ]
            #expect(try client.call("s__echo", ["send": [update, update]])["result"] != nil)
            #expect(try client.request("prompts/list")["result"]?["prompts"] == [])
            // Whatever changes is told together: nothing came with what comes now.
            _ = try client.request("corral/connections/remove", ["name": "s"])
            let method = try client.receive()["method"]
            #expect(method == "notifications/tools/list_changed")
        }
    }

    @Test(arguments: ["legacy", "modern"])
    func `changes of a resource reach its subscribers once, in both eras`(era: String) throws {
        let asked = Asked()
        try Harness.run(["s": script(era, asked)]) { harness in
            let caller = try harness.client(connecting: ["s"])
            let uri: JSON = "corral://s/memo://a"
            let old = try harness.client()
            try old.initialize()
            #expect(try old.request("resources/subscribe", ["uri": uri])["result"] != nil)
            let new = try harness.client()
            let id = try listen(new, ["resourceSubscriptions": [uri]])
            let update: JSON = [
                "method": "notifications/resources/updated", "params": ["uri": "memo://a"],
            ]
            let other: JSON = [
                "method": "notifications/resources/updated", "params": ["uri": "memo://b"],
            ]
            #expect(try caller.call("s__echo", ["send": [update, other, update]])["result"] != nil)
            for client in [old, new] {
                let told = try client.receive()
                #expect(told["method"] == "notifications/resources/updated")
                #expect(told["params"]?["uri"] == uri)
            }
            // Both are over: the server is asked for nothing any more.
            #expect(try old.request("resources/unsubscribe", ["uri": uri])["result"] != nil)
            try new.send(
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(id)}}"#
                    + "\n")
            #expect(try new.request("corral/whoami")["result"] != nil)
            #expect(try caller.call("s__echo", ["send": [update]])["result"] != nil)
            #expect(try old.request("ping")["result"] != nil)
            #expect(old.others.isEmpty && new.others.isEmpty)
            if era == "legacy" {
                #expect(asked.params("resources/subscribe") == [["uri": "memo://a"]])
                #expect(asked.params("resources/unsubscribe") == [["uri": "memo://a"]])
            } else {
                let filters = asked.params("subscriptions/listen").map { $0["notifications"] }
                #expect(
                    filters == [
                        ["promptsListChanged": true],
                        ["promptsListChanged": true, "resourceSubscriptions": ["memo://a"]],
                        ["promptsListChanged": true],
                    ], "\(filters)")
            }
        }
    }

    @Test func `what cannot be subscribed to is refused, or not honoured`() throws {
        try Harness.run(["s": FeatureServer.legacy]) { harness in
            let client = try harness.client(connecting: ["s"])
            try client.initialize()
            for uri in ["corral://s/memo://a", "corral://t/memo://a", "memo://a"] {
                let answer = try client.request("resources/subscribe", ["uri": .string(uri)])
                #expect(answer["error"]?["code"] == -32602)
            }
            _ = try client.ask(
                "subscriptions/listen",
                TestClient.modern([
                    "notifications": ["resourceSubscriptions": ["corral://s/memo://a"]]
                ]))
            #expect(try client.receive()["params"]?["notifications"] == [:])
            for filter in [nil, [:], 7, ["resourceSubscriptions": [7]]] as [JSON?] {
                var params = TestClient.modern()
                params["notifications"] = filter
                guard filter != [:] else { continue }
                let answer = try client.request("subscriptions/listen", params)
                #expect(answer["error"]?["code"] == -32602)
            }
            #expect(try client.request("logging/setLevel", ["level": "loud"])["error"] != nil)
        }
    }

    @Test(arguments: ["legacy", "modern"])
    func `log messages reach the caller who wants them`(era: String) throws {
        let asked = Asked()
        try Harness.run(["s": script(era, asked)]) { harness in
            let client = try harness.client(connecting: ["s"])
            try client.initialize()
            func message(_ level: JSON) -> JSON {
                [
                    "method": "notifications/message",
                    "params": ["level": level, "logger": "l", "data": ["n": .number("1.50")]],
                ]
            }
            let arguments: JSON = ["send": [message("info"), message("error"), message("odd")]]
            // Nobody asked for it yet.
            #expect(try client.call("s__echo", arguments)["result"] != nil)
            #expect(client.others.isEmpty)
            var params = TestClient.modern(["name": "s__echo", "arguments": arguments])
            var meta = params["_meta"] ?? nil
            meta["io.modelcontextprotocol/logLevel"] = "error"
            params["_meta"] = meta
            #expect(try client.request("tools/call", params)["result"] != nil)
            #expect(client.others.count == 1)
            #expect(
                client.others.first?["params"] == [
                    "level": "error", "logger": "s/l", "data": ["n": .number("1.50")],
                ])
            #expect(try client.request("logging/setLevel", ["level": "info"])["result"] != nil)
            let call: JSON = ["name": "s__echo", "arguments": arguments]
            #expect(try client.request("tools/call", call)["result"] != nil)
            #expect(client.others.count == 3)
            #expect(
                asked.params("logging/setLevel") == (era == "legacy" ? [["level": "info"]] : []))
            let logs = try client.request("corral/connections/logs", ["name": "s"])
            #expect(logs["result"]?["lines"]?.text.contains("[error] {") == true, "\(logs.text)")
        }
    }

    @Test func `a storm of progress reaches its caller as a few reports, the newest last`() throws {
        let scripts: [String: FakeServer.Script] = [
            "storm": { server, _ in
                try server.serveLegacy { server, call in
                    let token = call["params"]?["_meta"]?["progressToken"] ?? nil
                    for number in 1...3_000 {
                        server.notify(
                            "notifications/progress",
                            ["progressToken": token, "progress": .integer(number)])
                    }
                    return FakeServer.echo(server, call)
                }
            },
            "calm": { server, _ in try server.serveLegacy() },
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["storm", "calm"])
            let storm = try client.ask(
                "tools/call", TestClient.modern(["name": "storm__echo"], token: "t"))
            #expect(try client.call("calm__echo")["result"] != nil)
            #expect(try client.answer(to: storm)["result"] != nil)
            let reports = client.others.compactMap { $0["params"]?["progress"]?.intValue }
            #expect(reports.count == client.others.count)
            #expect(reports.count < 200, "\(reports.count)")
            #expect(reports.first == 1)
            #expect(reports.last == 3_000)
            #expect(reports == reports.sorted())
        }
    }
}
