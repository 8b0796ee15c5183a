import JSONRPC
import SupervisorProtocol
import Synchronization
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct CallTests {
    @Test func `a call goes to its server and back, in every mixture of eras`() throws {
        let scripts: [String: FakeServer.Script] = [
            "old": { server, _ in try server.serveLegacy() },
            "new": { server, _ in try server.serveModern() },
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["old", "new"])
            try client.initialize()
            for tool in ["old__echo", "new__echo"] {
                let modern = try client.call(tool, ["n": .number("1.50")])
                #expect(modern["result"]?["resultType"] == "complete")
                #expect(modern["result"]?["content"]?.text.contains(#"{\"n\":1.50}"#) == true)
                let legacy = try client.request(
                    "tools/call", ["name": .string(tool), "arguments": ["x": "é"]])
                #expect(legacy["result"]?["resultType"] == nil)
                #expect(legacy["result"]?["content"]?.text.contains(#"{\"x\":\"é\"}"#) == true)
            }
            #expect(harness.supervisor.starts(of: "old") == 1)
        }
    }

    @Test func `a call that is not answered in time ends, and a silent server is replaced`() throws
    {
        let scripts: [String: FakeServer.Script] = [
            "stuck": { server, start in
                guard start.earlier == 0 else { return try server.serveLegacy() }
                return try server.serveLegacy { server, _ in
                    while try server.message() != nil {}
                    return server.ending()
                }
            }
        ]
        try Harness.run(scripts, limits: [Harness.soon]) { harness in
            let client = try harness.client(connecting: ["stuck"])
            let late = try client.call("stuck__echo")
            #expect(late["error"]?["code"] == 1013)
            #expect(late["error"]?["data"]?["reason"] == "timeout")
            // Its ping is not answered either: it is killed, and a later call has a fresh one.
            var answer = late
            for number in 0..<5 where answer["result"] == nil {
                answer = try client.call("stuck__echo", ["n": .integer(number)])
            }
            #expect(answer["result"] != nil, "\(answer.text)")
            #expect(harness.supervisor.starts(of: "stuck") == 2)
        }
    }

    @Test func `a server that answers pings keeps running after a missed deadline`() throws {
        let scripts: [String: FakeServer.Script] = [
            "slow": { server, _ in
                var cancelled: JSON?
                var calls = 0
                return try server.serveLegacy(tools: ["echo", "hang"]) { server, call in
                    calls += 1
                    guard call["params"]?["name"] == "hang" else {
                        return FakeServer.echo(server, call)
                    }
                    cancelled = try server.message()
                    #expect(cancelled?["method"] == "notifications/cancelled")
                    #expect(cancelled?["params"]?["requestId"] == call["id"])
                    // The answer is too late: it reaches nobody.
                    _ = FakeServer.echo(server, call)
                    return nil
                }
            }
        ]
        try Harness.run(scripts, limits: [Harness.soon]) { harness in
            let client = try harness.client(connecting: ["slow"])
            #expect(try client.call("slow__hang")["error"]?["code"] == 1013)
            for _ in 0..<3 { #expect(try client.call("slow__echo")["result"] != nil) }
            #expect(client.others.isEmpty)
            #expect(harness.supervisor.starts(of: "slow") == 1)
        }
    }

    @Test func `a server that dies in a call ends it with its status and last words`() throws {
        let scripts: [String: FakeServer.Script] = [
            "mortal": { server, start in
                try server.serveLegacy { server, call in
                    guard start.earlier == 0 else { return FakeServer.echo(server, call) }
                    try server.complain("Traceback (most recent call last):\n\u{1B}[31mboom\n")
                    return server.ending(status: 3)
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["mortal"])
            let dead = try client.call("mortal__echo")
            #expect(dead["error"]?["code"] == 1012)
            let message = dead["error"]?["message"]?.stringValue ?? ""
            #expect(message.contains("tool_exited (status 3)"), "\(message)")
            #expect(
                dead["error"]?["data"]?["log"]
                    == ["Traceback (most recent call last):", "\\x1b[31mboom"])
            #expect(try client.call("mortal__echo")["result"] != nil)
        }
    }

    @Test func `a server that ends for lack of memory says so`() throws {
        let scripts: [String: FakeServer.Script] = [
            "hungry": { server, _ in
                try server.serveLegacy { server, _ in
                    server.usage.withLock { $0.memoryKills += 1 }
                    return server.ending(status: -1, signal: 9)
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["hungry"])
            let answer = try client.call("hungry__echo")
            #expect(answer["error"]?["code"] == 1014)
            #expect(answer["error"]?["data"]?["reason"] == "memory_exceeded")
            #expect(answer["error"]?["message"]?.stringValue?.contains("(128 MiB)") == true)
        }
    }

    @Test func `a failed result tells the limit that was met, others keep their bytes`() throws {
        let scripts: [String: FakeServer.Script] = [
            "forker": { server, _ in
                try server.serveLegacy { server, call in
                    if call["params"]?["arguments"]?["fork"] == true {
                        server.usage.withLock { $0.processRefusals += 1 }
                    }
                    server.answer(
                        call, ["isError": true, "content": [["type": "text", "text": "no"]]])
                    return nil
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["forker"])
            try client.initialize()
            func call(_ fork: Bool) throws -> JSON? {
                try client.request(
                    "tools/call", ["name": "forker__echo", "arguments": ["fork": .bool(fork)]])[
                        "result"]
            }
            let met = try call(true)
            #expect(met?["_meta"]?["dev.corral/limits"] == ["pids_exceeded (128)"])
            #expect(met?["content"]?.arrayValue?.count == 2)
            #expect(met?["isError"] == true)
            #expect(try call(false)?["_meta"]?["dev.corral/limits"] == nil)
        }
    }

    @Test func `answers that are double, unknown, late or of another type reach nobody`() throws {
        let scripts: [String: FakeServer.Script] = [
            "liar": { server, _ in
                try server.serveLegacy { server, call in
                    let id = call["id"]?.intValue ?? 0
                    for other in ["\"\(id)\"", "\(id + 1)", "\(id - 1)", "null", "\(id).0"] {
                        server.write(
                            #"{"jsonrpc":"2.0","id":\#(other),"result":{"content":[]}}"# + "\n")
                    }
                    _ = FakeServer.echo(server, call)
                    _ = FakeServer.echo(server, call)
                    return nil
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["liar"])
            for number in 0..<5 {
                let answer = try client.call("liar__echo", ["n": .integer(number)])
                #expect(answer["result"]?["content"]?.text.contains("\(number)") == true)
            }
            #expect(client.others.isEmpty)
        }
    }

    @Test func `noise on a server's output is passed over and kept in its log`() throws {
        let scripts: [String: FakeServer.Script] = [
            "noisy": { server, _ in
                server.write("Welcome to noisy 1.0\n\n{not \u{1B}json}\n")
                return try server.serveLegacy()
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["noisy"])
            #expect(try client.call("noisy__echo")["result"] != nil)
            let logs = try client.request("corral/connections/logs", ["name": "noisy"])
            #expect(
                logs["result"]?["lines"]
                    == ["[stdout] Welcome to noisy 1.0", #"[stdout] {not \x1bjson}"#])
        }
    }

    @Test func `an answer over the limit ends its call and nothing else`() throws {
        let scripts: [String: FakeServer.Script] = [
            "flood": { server, _ in
                try server.serveLegacy { server, call in
                    let size = call["params"]?["arguments"]?["size"]?.intValue ?? 0
                    let text = String(repeating: "x", count: size)
                    server.answer(call, ["content": [["type": "text", "text": .string(text)]]])
                    return nil
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["flood"])
            // Just over the policy's limit, and over any line there may be.
            for size in [65 << 10, 300 << 10] {
                let answer = try client.call("flood__echo", ["size": .integer(size)])
                #expect(answer["error"]?["code"] == 1019, "\(answer.text.prefix(300))")
                #expect(try client.call("flood__echo", ["size": 100])["result"] != nil)
            }
            #expect(harness.supervisor.starts(of: "flood") == 1)
        }
    }

    @Test func `a server's error is handed on, but never in the broker's name`() throws {
        let scripts: [String: FakeServer.Script] = [
            "failing": { server, _ in
                try server.serveLegacy { server, call in
                    server.refuse(call, call["params"]?["arguments"]?["code"]?.intValue ?? 0, "no")
                    return nil
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["failing"])
            #expect(try client.call("failing__echo", ["code": -32602])["error"]?["code"] == -32602)
            #expect(try client.call("failing__echo", ["code": 1001])["error"]?["code"] == -32000)
        }
    }

    @Test func `progress reaches the caller under its own token`() throws {
        let scripts: [String: FakeServer.Script] = [
            "steps": { server, _ in
                try server.serveLegacy { server, call in
                    let token = call["params"]?["_meta"]?["progressToken"] ?? "none"
                    for token in [token, 9_999] {
                        let params: JSON = ["progressToken": token, "progress": .number("0.5")]
                        let note: JSON = [
                            "jsonrpc": "2.0", "method": "notifications/progress", "params": params,
                        ]
                        server.write(note.text + "\n")
                    }
                    return FakeServer.echo(server, call)
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["steps"])
            let params = TestClient.modern(["name": "steps__echo"], token: "mine")
            #expect(try client.request("tools/call", params)["result"] != nil)
            #expect(client.others.count == 1)
            #expect(
                client.others.first?["params"] == [
                    "progressToken": "mine", "progress": .number("0.5"),
                ])
        }
    }

    @Test func `cancelling reaches the server and the answer reaches nobody`() throws {
        let scripts: [String: FakeServer.Script] = [
            "patient": { server, _ in
                try server.serveLegacy(tools: ["echo", "wait"]) { server, call in
                    guard call["params"]?["name"] == "wait" else {
                        return FakeServer.echo(server, call)
                    }
                    let note: JSON = [
                        "jsonrpc": "2.0", "method": "notifications/progress",
                        "params": [
                            "progressToken": call["params"]?["_meta"]?["progressToken"] ?? nil,
                            "progress": 1,
                        ],
                    ]
                    server.write(note.text + "\n")
                    let next = try server.message()
                    #expect(next?["method"] == "notifications/cancelled")
                    return FakeServer.echo(server, call)
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["patient"])
            let id = try client.ask(
                "tools/call", TestClient.modern(["name": "patient__wait"], token: 1))
            // The call has arrived once there is progress.
            #expect(try client.receive()["method"] == "notifications/progress")
            try client.send(
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(id)}}"#
                    + "\n")
            #expect(try client.call("patient__echo")["result"] != nil)
            #expect(client.others.isEmpty)
        }
    }

    @Test func `a client that vanishes in a call disturbs nobody`() throws {
        let scripts: [String: FakeServer.Script] = [
            "patient": { server, _ in
                try server.serveLegacy(tools: ["echo", "wait"]) { server, call in
                    guard call["params"]?["name"] == "wait" else {
                        return FakeServer.echo(server, call)
                    }
                    let next = try server.message()
                    #expect(next?["method"] == "notifications/cancelled")
                    return FakeServer.echo(server, call)
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let stayer = try harness.client(connecting: ["patient"])
            do {
                let leaver = try harness.client()
                _ = try leaver.ask("tools/call", TestClient.modern(["name": "patient__wait"]))
                // Answered after the call was sent on, as both came in one stream.
                _ = try leaver.request("ping")
            }
            // The broker hears of the leaver's end when it comes to it; only then is the next call
            // sure to follow what it tells the server.
            var clients = 2
            for _ in 0..<10_000 where clients > 1 {
                clients = try stayer.request("corral/status")["result"]?["clients"]?.intValue ?? 0
            }
            #expect(clients == 1)
            #expect(try stayer.call("patient__echo")["result"] != nil)
        }
    }

    @Test func `calls that come while a server starts share its start`() throws {
        let scripts: [String: FakeServer.Script] = [
            "late": { server, start in
                // The first start is the registration's; it ends with its first call.
                try server.serveLegacy { server, call in
                    start.earlier == 0 ? server.ending() : FakeServer.echo(server, call)
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["late"])
            #expect(try client.call("late__echo")["error"]?["code"] == 1012)
            let ids = try (0..<20).map { number in
                try client.ask(
                    "tools/call",
                    TestClient.modern(["name": "late__echo", "arguments": ["n": .integer(number)]]))
            }
            for (number, id) in ids.enumerated() {
                let answer = try client.answer(to: id)
                #expect(answer["result"]?["content"]?.text.contains("\(number)") == true)
            }
            #expect(harness.supervisor.starts(of: "late") == 2)
        }
    }

    @Test func `results that are none end as invalid output`() throws {
        let scripts: [String: FakeServer.Script] = [
            "odd": { server, _ in
                try server.serveModern { server, call in
                    server.answer(call, call["params"]?["arguments"]?["result"] ?? nil)
                    return nil
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["odd"])
            for result in [7, [:], ["content": []], ["resultType": "input_required"]] as [JSON] {
                let answer = try client.call("odd__echo", ["result": result])
                #expect(answer["error"]?["code"] == 1018, "\(result.text)")
            }
        }
    }
}
