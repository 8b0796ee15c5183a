import Control
import JSONRPC
import Kernel
import NetworkRules
import SupervisorProtocol
import Synchronization
import Testing

/// A gateway that servers' scripts can use once there is one.
final class Way: Sendable {
    private let gateway = Mutex<FakeGateway?>(nil)

    func set(_ new: FakeGateway) { gateway.withLock { $0 = new } }

    /// The gateway; there must be one.
    func get() throws -> FakeGateway { try #require(gateway.withLock { $0 }) }
}

@Suite(.serialized, .timeLimit(.minutes(1))) struct NetworkTests {
    private static var line: Regex<(Substring, Substring)> {
        #/
        network_denied:\ 169\.254\.169\.254:80\ \(metadata\),\ policies/default\.yaml:21,
        \ corral\ why\ ([0-9a-f]{4})
        /#
    }

    /// A server that does something about the network in each call, then answers.
    private static func server(
        _ way: Way, isError: Bool = false,
        _ act: @escaping @Sendable (FakeGateway, FakeServer, JSON) throws -> Void
    ) -> FakeServer.Script {
        { server, _ in
            try server.serveLegacy { server, call in
                try act(try way.get(), server, call)
                server.answer(call, answer(isError: isError))
                return nil
            }
        }
    }

    private static func answer(isError: Bool) -> JSON {
        var result: JSON = ["content": [["type": "text", "text": "said"]]]
        if isError { result["isError"] = true }
        return result
    }

    /// Runs a test with one networked server and a gateway.
    private static func run(
        _ script: @escaping FakeServer.Script, _ way: Way, limits: [String] = [],
        network: [String] = [],
        _ body: (Harness, TestClient, FakeGateway) throws -> Void
    ) throws {
        try Harness.run(["net": script], limits: limits, network: network) { harness in
            let gateway = try harness.supervisor.giveGateway()
            way.set(gateway)
            let client = try harness.client(connecting: ["net"])
            try body(harness, client, gateway)
        }
    }

    private static func network(_ client: TestClient, _ params: JSON = [:]) throws -> JSON {
        let answer = try client.request("corral/connections/network", params)
        return try #require(answer["result"], "\(answer.text)")
    }

    @Test func `a failing call says what was refused, and why explains it`() throws {
        let way = Way()
        let script = Self.server(way, isError: true) { gateway, server, _ in
            try gateway.decide(server.sandbox)
        }
        try Self.run(script, way) { _, client, _ in
            let result = try client.call("net__echo")["result"]
            let content = result?["content"]?.arrayValue ?? []
            #expect(content.first == ["type": "text", "text": "said"])
            let text = content.last?["text"]?.stringValue ?? ""
            let match = try #require(text.wholeMatch(of: Self.line), "\(text)")
            let id = String(match.1)
            let told = result?["_meta"]?["dev.corral/network"]
            #expect(told?["more"] == 0 && told?["shared"] == false)
            #expect(
                told?["denied"] == [
                    [
                        "id": .string(id), "destination": "169.254.169.254:80",
                        "reason": "denied_set", "set": "metadata",
                        "rule": "network.deny: metadata", "file": "policies/default.yaml",
                        "line": 21,
                    ]
                ])
            let why = try client.request("corral/why", ["id": .string(id)])["result"]?["decision"]
            #expect(why?["id"]?.stringValue == id)
            #expect(why?["subject"] == "net" && why?["tools"] == "echo" && why?["calls"] == 1)
            #expect(why?["call"]?.stringValue?.utf8.count == 36)
            #expect(why?["place"] == "policies/default.yaml:21")
            #expect(try client.request("corral/why", ["id": "8f3aaa"])["error"]?["code"] == 1028)
            #expect(try client.request("corral/why", ["id": "' OR 1"])["error"]?["code"] == 1028)
        }
    }

    @Test func `a call that succeeds says it beside its result`() throws {
        let way = Way()
        let script = Self.server(way) { gateway, server, _ in try gateway.decide(server.sandbox) }
        try Self.run(script, way) { _, client, _ in
            let result = try client.call("net__echo")["result"]
            #expect(result?["content"] == [["type": "text", "text": "said"]])
            let denied = result?["_meta"]?["dev.corral/network"]?["denied"]?.arrayValue
            #expect(denied?.count == 1)
        }
    }

    @Test func `a server's error and an error of the broker's own say it`() throws {
        let way = Way()
        let script: FakeServer.Script = { server, _ in
            try server.serveLegacy(tools: ["refuse", "exit", "late"]) { server, call in
                try way.get().decide(server.sandbox)
                switch call["params"]?["name"] {
                case "refuse": server.refuse(call, -32001, "no route")
                case "exit": return server.ending(status: 3)
                default: break
                }
                return nil
            }
        }
        try Self.run(script, way, limits: [Harness.soon]) { _, client, _ in
            for (tool, start) in [
                ("refuse", "no route; "),
                ("exit", "cannot call 'exit' of 'net': tool_exited (status 3)"),
                ("late", "cannot call 'late' of 'net': timeout"),
            ] {
                let error = try client.call("net__\(tool)")["error"]
                let message = error?["message"]?.stringValue ?? ""
                #expect(message.hasPrefix(start), "\(message)")
                #expect(message.firstMatch(of: Self.line) != nil, "\(message)")
                let denied = error?["data"]?["dev.corral/network"]?["denied"]?.arrayValue
                #expect(denied?.count == 1)
            }
        }
    }

    @Test func `what two calls may have asked for is told to both`() throws {
        let way = Way()
        let script: FakeServer.Script = { server, _ in
            var first: JSON?
            return try server.serveLegacy { server, call in
                guard let earlier = first else {
                    first = call
                    return nil
                }
                try way.get().decide(server.sandbox)
                for call in [earlier, call] { server.answer(call, Self.answer(isError: false)) }
                return nil
            }
        }
        try Self.run(script, way) { _, client, _ in
            let params = TestClient.modern(["name": "net__echo", "arguments": [:]])
            let ids = try [client.ask("tools/call", params), client.ask("tools/call", params)]
            let told = try ids.map {
                try client.answer(to: $0)["result"]?["_meta"]?["dev.corral/network"]
            }
            #expect(told[0] == told[1])
            #expect(told[0]?["shared"] == true)
            #expect(told[0]?["denied"]?.arrayValue?.count == 1)
            let row = try Self.network(client, ["lines": 100])["decisions"]?.arrayValue?.first
            #expect(row?["calls"] == 2 && row?["call"] == nil)
        }
    }

    @Test func `what no call asked for is told apart, and not blamed on the next`() throws {
        let way = Way()
        let script = Self.server(way) { _, _, _ in }
        try Self.run(script, way) { _, client, gateway in
            #expect(try client.call("net__echo")["result"] != nil)
            try gateway.decide(1)
            let result = try client.call("net__echo")["result"]
            // Told before the call began: what waits in the queue is read before it goes out.
            #expect(result?["_meta"]?["dev.corral/network"] == nil, "\(result?.text ?? "")")
            let row = try Self.network(client, ["name": "net"])["decisions"]?.arrayValue?.first
            #expect(row?["calls"] == 0 && row?["tools"] == "")
        }
    }

    @Test func `an answer never overtakes the refusal that it follows`() throws {
        let way = Way()
        let script = Self.server(way, isError: true) { gateway, server, call in
            let port = call["params"]?["arguments"]?["port"]?.intValue ?? 0
            try gateway.decide(server.sandbox, port: UInt16(port))
        }
        try Self.run(script, way) { _, client, _ in
            for port in 1...2_000 {
                let result = try client.call("net__echo", ["port": .integer(port)])["result"]
                let denied = result?["_meta"]?["dev.corral/network"]?["denied"]?.arrayValue ?? []
                let told = denied.map { $0["destination"]?.stringValue }
                let isTold = told == ["169.254.169.254:\(port)"]
                let more = result?["_meta"]?["dev.corral/network"]?["more"]?.intValue ?? 0
                // Beyond the rate that is kept a refusal is counted, not named.
                guard isTold || (told.isEmpty && more == 1) else {
                    Issue.record("call \(port) was told \(told)")
                    return
                }
            }
        }
    }

    @Test func `a call tells no more refusals than its limit, and how many more there were`()
        throws
    {
        let way = Way()
        let script = Self.server(way, isError: true) { gateway, server, _ in
            for port in 1...20 {
                try gateway.decide(server.sandbox, port: UInt16(port))
                try gateway.decide(server.sandbox, port: UInt16(port))
            }
        }
        try Self.run(script, way) { _, client, _ in
            let told = try client.call("net__echo")["result"]?["_meta"]?["dev.corral/network"]
            #expect(told?["denied"]?.arrayValue?.count == 8)
            #expect(told?["more"] == 12)
            let rows = try Self.network(client, ["lines": 100])["decisions"]?.arrayValue ?? []
            #expect(rows.count == 20)
            #expect(rows.allSatisfy { $0["count"] == 2 })
        }
    }

    @Test func `names that a tool chose cannot speak to a terminal`() throws {
        let way = Way()
        let script = Self.server(way, isError: true) { gateway, server, _ in
            try gateway.decide(server.sandbox, name: "a\u{1b}[31m\u{202e}.example")
        }
        try Self.run(script, way) { _, client, _ in
            let result = try client.call("net__echo")["result"]
            let text = result?["content"]?.arrayValue?.last?["text"]?.stringValue ?? ""
            #expect(text.contains(#" for a\x1b[31m\u{202e}.example (metadata)"#), "\(text)")
        }
    }
}
