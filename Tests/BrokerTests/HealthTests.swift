import JSONRPC
import SupervisorProtocol
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct HealthTests {
    @Test func `a server that fails again and again is not started for a while`() throws {
        let scripts: [String: FakeServer.Script] = [
            "broken": { server, start in
                guard start.earlier > 0 else {
                    return try server.serveLegacy { server, _ in server.ending(status: 1) }
                }
                return server.ending(status: 1)
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["broken"])
            #expect(try client.call("broken__echo")["error"]?["code"] == 1012)
            for _ in 0..<4 {
                #expect(try client.call("broken__echo")["error"]?["code"] == 1011)
            }
            let starts = harness.supervisor.starts(of: "broken")
            let refused = try client.call("broken__echo")["error"]
            #expect(refused?["code"] == 1011)
            #expect(
                refused?["message"]?.stringValue?.contains("failed 5 times in a row") == true,
                "\(refused?.text ?? "")")
            #expect(harness.supervisor.starts(of: "broken") == starts)
            let seen = try client.request("corral/connections/get", ["name": "broken"])["result"]
            #expect(seen?["state"] == "failed")
            #expect(seen?["failures"] == 5)
            #expect((seen?["retryMilliseconds"]?.intValue ?? 0) > 0)
            // A person who asks for it gets a try at once.
            _ = try client.request("corral/connections/restart", ["name": "broken"])
            #expect(harness.supervisor.starts(of: "broken") > starts)
        }
    }

    @Test func `a call that is answered makes up for failures before it`() throws {
        let scripts: [String: FakeServer.Script] = [
            "shaky": { server, start in
                guard start.earlier != 1 else { return server.ending(status: 1) }
                return try server.serveLegacy { server, call in
                    if call["params"]?["arguments"]?["die"] == true { return server.ending() }
                    return FakeServer.echo(server, call)
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["shaky"])
            _ = try client.call("shaky__echo", ["die": true])
            _ = try client.call("shaky__echo")
            func failures() throws -> Int? {
                try client.request("corral/connections/get", ["name": "shaky"])["result"]?[
                    "failures"]?.intValue
            }
            #expect(try failures() == 2)
            #expect(try client.call("shaky__echo")["result"] != nil)
            #expect(try failures() == nil)
        }
    }

    @Test func `a server that is not used any more sees the end of its input first`() throws {
        let scripts: [String: FakeServer.Script] = [
            "polite": { server, _ in
                let ending = try server.serveLegacy()
                // What it says at its end is still read.
                server.write("goodbye\n")
                return ending
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["polite"])
            let answer = try client.request("corral/connections/restart", ["name": "polite"])
            #expect(answer["result"]?["state"] == "ready")
            #expect(harness.supervisor.starts(of: "polite") == 2)
        }
    }

    @Test func `a server that ignores the end of its input gets SIGTERM, then SIGKILL`() throws {
        let scripts: [String: FakeServer.Script] = [
            "stubborn": { server, start in
                guard start.earlier == 0 else { return try server.serveLegacy() }
                _ = try server.serveLegacy()
                try server.waitForKill()
                return server.ending()
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["stubborn"])
            _ = try client.request("corral/connections/restart", ["name": "stubborn"])
            harness.supervisor.wait(untilRunning: 1)
            #expect(harness.supervisor.signals == [15])
        }
    }
}
