import JSONRPC
import SupervisorProtocol
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct PressureTests {
    @Test func `a client that does not read stops its own calls and nobody else's`() throws {
        let answer = String(repeating: "x", count: 60 << 10)
        let scripts: [String: FakeServer.Script] = [
            "big": { server, _ in
                try server.serveLegacy { server, call in
                    server.answer(call, ["content": [["type": "text", "text": .string(answer)]]])
                    return nil
                }
            },
            "small": { server, _ in try server.serveLegacy() },
        ]
        try Harness.run(scripts) { harness in
            let lazy = try harness.client(connecting: ["big", "small"])
            // 6 MiB of answers: more than the sockets and the broker's own queue take.
            let ids = try (0..<100).map { _ in
                try lazy.ask("tools/call", TestClient.modern(["name": "big__echo"]))
            }
            let other = try harness.client()
            for _ in 0..<10 { #expect(try other.call("small__echo")["result"] != nil) }
            var ended = 0
            for id in ids {
                let message = try lazy.answer(to: id)
                #expect(message["result"] != nil, "\(message.text.prefix(300))")
                ended += 1
            }
            #expect(ended == 100)
            #expect(lazy.others.isEmpty)
        }
    }

    @Test func `a server is not ended for the silence of one that nobody reads`() throws {
        let answer = String(repeating: "x", count: 60 << 10)
        let scripts: [String: FakeServer.Script] = [
            "big": { server, _ in
                try server.serveLegacy { server, call in
                    server.answer(call, ["content": [["type": "text", "text": .string(answer)]]])
                    return nil
                }
            }
        ]
        try Harness.run(scripts, limits: [Harness.soon]) { harness in
            let lazy = try harness.client(connecting: ["big"])
            let other = try harness.client()
            var ids: [Int] = []
            var late = 0
            // Once the lazy one's answers fill everything, its server is not read any more; then
            // four deadlines are longer than the time for a ping after the first of them.
            for _ in 0..<12 where late < 4 {
                if late == 0 {
                    ids += try (0..<100).map { _ in
                        try lazy.ask("tools/call", TestClient.modern(["name": "big__echo"]))
                    }
                    // The lazy one's calls are on their way before the other's is.
                    _ = try other.request("ping")
                }
                if try other.call("big__echo")["error"]?["code"] == 1013 { late += 1 }
            }
            #expect(late == 4)
            #expect(harness.supervisor.starts(of: "big") == 1)
            for id in ids { _ = try lazy.answer(to: id) }
            var last: JSON = [:]
            for _ in 0..<5 where last["result"] == nil { last = try other.call("big__echo") }
            #expect(last["result"] != nil, "\(last.text.prefix(300))")
        }
    }

    @Test func `a server that does not read its input ends its calls at their deadline`() throws {
        let scripts: [String: FakeServer.Script] = [
            "deaf": { server, start in
                guard start.earlier == 0 else { return try server.serveLegacy() }
                return try server.serveLegacy { server, _ in
                    // Reads no more until it is killed, which closes nothing here: it waits for
                    // the broker to give it up.
                    try server.waitForKill()
                    return server.ending()
                }
            }
        ]
        try Harness.run(scripts, limits: [Harness.soon]) { harness in
            let client = try harness.client(connecting: ["deaf"])
            let text = JSON.string(String(repeating: "y", count: 50 << 10))
            let ids = try (0..<60).map { _ in
                try client.ask(
                    "tools/call",
                    TestClient.modern(["name": "deaf__echo", "arguments": ["t": text]]))
            }
            for id in ids {
                let answer = try client.answer(to: id)
                #expect(answer["result"] != nil || answer["error"] != nil)
            }
            var last: JSON = [:]
            for _ in 0..<5 where last["result"] == nil { last = try client.call("deaf__echo") }
            #expect(last["result"] != nil, "\(last.text.prefix(300))")
        }
    }

    @Test func `requests beyond what one client may have in flight are refused`() throws {
        let scripts: [String: FakeServer.Script] = [
            "slow": { server, _ in
                try server.serveLegacy { server, _ in
                    // Nothing is answered; what is sent ends at its deadline.
                    nil
                }
            }
        ]
        try Harness.run(scripts, limits: [Harness.soon]) { harness in
            let client = try harness.client(connecting: ["slow"])
            let ids = try (0..<300).map { _ in
                try client.ask("tools/call", TestClient.modern(["name": "slow__echo"]))
            }
            let codes = try ids.map { try client.answer(to: $0)["error"]?["code"]?.intValue }
            #expect(codes.count(where: { $0 == 1023 }) == 300 - 128)
            #expect(codes.count(where: { $0 == 1013 }) == 128)
        }
    }

    @Test func `a server nobody uses is stopped and started again by the next call`() throws {
        let scripts: [String: FakeServer.Script] = [
            "idle": { server, _ in try server.serveLegacy() }
        ]
        try Harness.run(scripts, limits: ["idle_timeout: 1s"]) { harness in
            let client = try harness.client(connecting: ["idle"])
            harness.supervisor.waitUntilIdle()
            let now = try client.request("corral/connections/get", ["name": "idle"])
            #expect(now["result"]?["state"] == "idle")
            #expect(try client.call("idle__echo")["result"] != nil)
            #expect(harness.supervisor.starts(of: "idle") == 2)
        }
    }

    @Test func `stopping lets a call in flight end and records it`() throws {
        let scripts: [String: FakeServer.Script] = [
            "busy": { server, _ in try server.serveLegacy() }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["busy"])
            let id = try client.ask("tools/call", TestClient.modern(["name": "busy__echo"]))
            _ = try client.request("ping")
            try harness.stop()
            #expect(try client.answer(to: id)["result"] != nil)
            #expect(try client.isClosed())
        }
    }

    @Test func `a registration that its client gives up leaves nothing`() throws {
        let scripts: [String: FakeServer.Script] = [
            "given": { server, _ in try server.serveLegacy() }
        ]
        try Harness.run(scripts) { harness in
            do {
                let leaver = try harness.client()
                _ = try leaver.ask("corral/connections/register", ["card": "given"])
            }
            harness.supervisor.waitUntilIdle(afterStarts: 1, of: "given")
            let client = try harness.client()
            #expect(try client.request("corral/connections/list")["result"]?["connections"] == [])
            let again = try client.request("corral/connections/register", ["card": "given"])
            #expect(again["result"] != nil, "\(again.text)")
        }
    }
}
