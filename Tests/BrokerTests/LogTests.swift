import JSONRPC
import SupervisorProtocol
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct LogTests {
    /// Writes a line to its log with every call.
    private let scripts: [String: FakeServer.Script] = [
        "wordy": { server, _ in
            try server.serveLegacy { server, message in
                try server.complain("called\n")
                return FakeServer.echo(server, message)
            }
        }
    ]

    private func params(_ next: Int) -> JSON { ["name": "wordy", "after": .integer(next)] }

    @Test func `lines are handed on as they are written`() throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["wordy"])
            let first = try client.request("corral/connections/logs", ["name": "wordy"])["result"]
            #expect(first?["lines"] == [])
            #expect(first?["next"] == 0)
            let waiting = try client.ask("corral/connections/logs", params(0))
            // The answer to a later request shows that the first one waits.
            _ = try client.request("corral/whoami")
            #expect(client.others.isEmpty)
            _ = try client.call("wordy__echo")
            let news = try client.answer(to: waiting)["result"]
            #expect(news?["lines"] == ["called"])
            #expect(news?["next"] == 1)
            #expect(news?["missed"] == 0)
            // What is there already is answered at once.
            let again = try client.request("corral/connections/logs", params(0))["result"]
            #expect(again?["lines"] == ["called"])
        }
    }

    @Test func `a wait ends when it is cancelled, and with its connection`() throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["wordy"])
            let cancelled = try client.ask("corral/connections/logs", params(0))
            try client.send(
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(cancelled)}}"#
                    + "\n")
            let waiting = try client.ask("corral/connections/logs", params(0))
            _ = try client.request("corral/connections/remove", ["name": "wordy"])
            #expect(try client.answer(to: waiting)["error"]?["code"] == 1002)
            #expect(client.others.isEmpty, "\(client.others)")
        }
    }

    @Test func `a client that goes away while it waits leaves nothing behind`() throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["wordy"])
            do {
                let gone = try harness.client()
                _ = try gone.ask("corral/connections/logs", params(0))
                _ = try gone.request("corral/whoami")
            }
            _ = try client.call("wordy__echo")
            let log = try client.request("corral/connections/logs", params(0))["result"]
            #expect(log?["lines"] == ["called"])
        }
    }
}
