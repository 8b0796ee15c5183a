import JSONRPC
import SupervisorProtocol
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct StartTests {
    /// Registers a card and gives the error.
    private func failure(_ harness: Harness, _ card: String) throws -> JSON {
        let client = try harness.client()
        let answer = try client.request("corral/connections/register", ["card": .string(card)])
        let list = try client.request("corral/connections/list")
        #expect(list["result"]?["connections"] == [])
        return try #require(answer["error"], "\(answer.text)")
    }

    @Test func `a server that exits on the probe is started again for initialize`() throws {
        let scripts: [String: FakeServer.Script] = [
            "rust": { server, _ in
                let first = try server.message()
                guard first?["method"] == "initialize" else {
                    try server.complain("expect initialized request, but received discover\n")
                    return server.ending(status: 1)
                }
                server.answer(
                    first ?? nil,
                    [
                        "protocolVersion": "2025-06-18", "capabilities": ["tools": [:]],
                        "serverInfo": ["name": "rust", "version": "1"],
                    ])
                return try server.serveLegacy()
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["rust"])
            #expect(try client.call("rust__echo")["result"] != nil)
            #expect(harness.supervisor.starts(of: "rust") == 2)
            // The verdict is kept: another start does not probe.
            let answer = try client.request("corral/connections/restart", ["name": "rust"])
            #expect(answer["result"]?["state"] == "ready", "\(answer.text)")
            #expect(harness.supervisor.starts(of: "rust") == 3)
        }
    }

    @Test func `a server that exits at once fails with its status and traceback`() throws {
        let scripts: [String: FakeServer.Script] = [
            "broken": { server, _ in
                try server.complain("Traceback (most recent call last):\nImportError: mcp\n")
                return server.ending(status: 1)
            }
        ]
        try Harness.run(scripts) { harness in
            let error = try failure(harness, "broken")
            #expect(error["code"] == 1011)
            let message = error["message"]?.stringValue ?? ""
            #expect(message.hasPrefix("cannot start 'broken': handshake: "), "\(message)")
            #expect(message.contains("exit status 1"), "\(message)")
            #expect(error["data"]?["log"]?.arrayValue?.last == "ImportError: mcp")
            #expect(harness.supervisor.running == 0)
        }
    }

    @Test func `a failed start shows the server's last lines, not the installation's`() throws {
        let scripts: [String: FakeServer.Script] = [
            "broken": { server, _ in
                try server.complain("KeyError: 'TOKEN'\n")
                return server.ending(status: 1)
            }
        ]
        let installation = FakeSupervisor.Installation(log: ["Collecting broken", "Installed"])
        try Harness.run(scripts, installations: ["broken": installation]) { harness in
            let error = try failure(harness, "broken")
            let log = try #require(error["data"]?["log"]?.arrayValue)
            #expect(!log.isEmpty && log.allSatisfy { $0 == "KeyError: 'TOKEN'" }, "\(log)")
        }
    }

    @Test func `a server that never answers fails at the start timeout`() throws {
        let scripts: [String: FakeServer.Script] = [
            "mute": { server, _ in
                while try server.line() != nil {}
                return server.ending()
            }
        ]
        try Harness.run(scripts, limits: ["start_timeout: 1s"]) { harness in
            let error = try failure(harness, "mute")
            #expect(error["code"] == 1011)
            #expect(error["message"]?.stringValue?.contains("start_timeout") == true)
            #expect(harness.supervisor.starts(of: "mute") == 2)
        }
    }

    @Test func `a start that the supervisor refuses tells its step`() throws {
        try Harness.run { harness in
            let error = try failure(harness, "unstartable")
            #expect(error["code"] == 1011)
            #expect(
                error["message"]
                    == "cannot start 'unstartable': mount-root: No such file or directory")
        }
    }

    @Test func `an installation that fails gives the end of its log`() throws {
        let installation = FakeSupervisor.Installation(
            log: ["Collecting fake", "ERROR: hash mismatch"], works: false)
        try Harness.run([:], installations: ["wrong": installation]) { harness in
            let error = try failure(harness, "wrong")
            #expect(error["code"] == 1010)
            #expect(error["data"]?["log"]?.arrayValue?.last == "ERROR: hash mismatch")
        }
    }

    @Test func `a server whose list of tools cannot be used is not registered`() throws {
        let scripts: [String: FakeServer.Script] = [
            "twice": { server, _ in try server.serveLegacy(tools: ["a", "a"]) }
        ]
        try Harness.run(scripts) { harness in
            let error = try failure(harness, "twice")
            #expect(
                error["message"] == "cannot start 'twice': list tools: the tool 'a' is listed twice"
            )
        }
    }

    @Test func `endless noise ends a server`() throws {
        let scripts: [String: FakeServer.Script] = [
            "babble": { server, _ in
                server.write(String(repeating: "la la la\n", count: 5_000))
                return try server.serveLegacy()
            }
        ]
        try Harness.run(scripts) { harness in
            let error = try failure(harness, "babble")
            #expect(error["code"] == 1018, "\(error.text)")
        }
    }
}
