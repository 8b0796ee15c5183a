import JSONRPC
import Store
import SupervisorProtocol
import Synchronization
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct AccountingTests {
    private static let all = Meters(processor: .nanoseconds, peak: .ofGroup)

    private func usage(_ answer: JSON) -> JSON? {
        let place = answer["result"]?["_meta"] ?? answer["error"]?["data"]
        return place?["dev.corral/usage"]
    }

    /// A server that answers `wait` only when `echo` is called after it.
    private static let patient: FakeServer.Script = { server, _ in
        var kept: JSON?
        return try server.serveLegacy(tools: ["echo", "wait"]) { server, call in
            if call["params"]?["name"] == "wait" {
                kept = call
                return nil
            }
            _ = FakeServer.echo(server, call)
            if let first = kept { _ = FakeServer.echo(server, first) }
            kept = nil
            return nil
        }
    }

    @Test func `the bytes of a call are those that the server read and wrote`() throws {
        let counted = Mutex<(read: [Int], written: [Int])>(([], []))
        let scripts: [String: FakeServer.Script] = [
            "exact": { server, _ in
                while let line = try server.line() {
                    let message = try JSON.parse(Array(line.utf8))
                    guard message["method"] == "tools/call" else {
                        server.answerOther(message)
                        continue
                    }
                    let text = message["params"]?["arguments"]?["text"]?.stringValue ?? ""
                    let id = message["id"]?.text ?? ""
                    let token = message["params"]?["_meta"]?["progressToken"]?.text ?? "7"
                    let lines = [
                        #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(token),"progress":1}}"#
                            + "\n",
                        #"{"jsonrpc":"2.0","id":\#(id),"result":{"content":[],"x":"\#(text)"}}"#
                            + "\r\n",
                    ]
                    counted.withLock {
                        $0.read.append(line.utf8.count + 1)
                        $0.written.append(lines.reduce(0) { $0 + $1.utf8.count })
                    }
                    lines.forEach(server.write)
                }
                return server.ending()
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["exact"])
            for text in ["", "é", String(repeating: "x", count: 40_000)] {
                let params = TestClient.modern(
                    ["name": "exact__echo", "arguments": ["text": .string(text)]], token: "t")
                let told = try usage(client.request("tools/call", params))
                let last = counted.withLock { ($0.read.last, $0.written.last) }
                #expect(told?["bytesIn"]?.intValue == last.0)
                #expect(told?["bytesOut"]?.intValue == last.1)
            }
        }
    }

    @Test func `what is not counted is absent, and the rest is there`() throws {
        try Harness.run(["plain": { server, _ in try server.serveLegacy() }]) { harness in
            let client = try harness.client(connecting: ["plain"])
            let told = try #require(try usage(client.call("plain__echo")))
            #expect(
                told.objectValue?.members.map(\.name)
                    == ["wallMicroseconds", "bytesIn", "bytesOut", "shared"])
            #expect(told["shared"] == false)
        }
    }

    @Test func `processor time and peak are those of the call`() throws {
        let scripts: [String: FakeServer.Script] = [
            "busy": { server, _ in
                var total = 5_000_000
                try server.counters.setProcessor(microseconds: total)
                return try server.serveLegacy { server, call in
                    let spent = call["params"]?["arguments"]?["n"]?.intValue ?? 0
                    total += spent
                    try server.counters.setProcessor(microseconds: total)
                    if spent > 0 { try server.counters.setPeak(60_000_000) }
                    return FakeServer.echo(server, call)
                }
            }
        ]
        try Harness.run(scripts, meters: ["busy": Self.all]) { harness in
            let client = try harness.client(connecting: ["busy"])
            let large = try usage(client.call("busy__echo", ["n": 200_000]))
            #expect(large?["cpuMicroseconds"] == 200_000)
            #expect(large?["memoryPeakBytes"] == 60_000_000)
            #expect(large?["memoryPeakSince"] == "call")
            let small = try usage(client.call("busy__echo"))
            #expect(small?["cpuMicroseconds"] == 0)
            // Set back: its first digit is 0 now.
            #expect(small?["memoryPeakBytes"] == 0)
        }
    }

    @Test func `a peak that cannot be set back is one since the start`() throws {
        let scripts: [String: FakeServer.Script] = [
            "old": { server, _ in try server.serveLegacy() }
        ]
        let meters = Meters(processor: .none, peak: .fixed)
        try Harness.run(scripts, meters: ["old": meters]) { harness in
            let client = try harness.client(connecting: ["old"])
            for _ in 0..<2 {
                let told = try usage(client.call("old__echo"))
                #expect(told?["memoryPeakBytes"] == 10_000_000)
                #expect(told?["memoryPeakSince"] == "start")
                #expect(told?["cpuMicroseconds"] == nil)
            }
        }
    }

    @Test func `calls that overlap are shared, and those after them are not`() throws {
        try Harness.run(["patient": Self.patient], meters: ["patient": Self.all]) { harness in
            let client = try harness.client(connecting: ["patient"])
            #expect(try usage(client.call("patient__echo"))?["shared"] == false)
            let first = try client.ask("tools/call", TestClient.modern(["name": "patient__wait"]))
            let second = try usage(client.call("patient__echo"))
            #expect(second?["shared"] == true)
            #expect(second?["memoryPeakSince"] == "overlap")
            let kept = try usage(client.answer(to: first))
            #expect(kept?["shared"] == true)
            #expect(kept?["memoryPeakSince"] == "call")
            #expect(try usage(client.call("patient__echo"))?["shared"] == false)
        }
    }

    @Test func `what a server has not finished is shared by the call that follows`() throws {
        let scripts = ["patient": Self.patient]
        try Harness.run(scripts, limits: [Harness.soon]) { harness in
            let client = try harness.client(connecting: ["patient"])
            let late = try client.call("patient__wait")
            #expect(late["error"]?["code"] == 1013)
            #expect((usage(late)?["wallMicroseconds"]?.intValue ?? 0) >= 1_000_000)
            #expect(usage(late)?["bytesOut"] == 0)
            #expect(try usage(client.call("patient__echo"))?["shared"] == true)
            // The late answer has come with it.
            #expect(try usage(client.call("patient__echo"))?["shared"] == false)
        }
    }

    @Test func `a call whose server ends has the supervisor's figures in its error`() throws {
        let scripts: [String: FakeServer.Script] = [
            "mortal": { server, _ in
                try server.counters.setProcessor(microseconds: 1_000)
                return try server.serveLegacy { server, call in
                    server.usage.withLock {
                        $0.cpuMicroseconds = 4_000
                        $0.memoryPeakBytes = 77
                    }
                    return server.ending(status: 3)
                }
            }
        ]
        for (peak, since) in [(Meters.Peak.ofGroup, "call"), (.ofDescriptor, "start")] {
            let meters = Meters(processor: .nanoseconds, peak: peak)
            try Harness.run(scripts, meters: ["mortal": meters]) { harness in
                let client = try harness.client(connecting: ["mortal"])
                let told = try usage(client.call("mortal__echo"))
                #expect(told?["cpuMicroseconds"] == 3_000)
                #expect(told?["memoryPeakBytes"] == 77)
                #expect(told?["memoryPeakSince"]?.stringValue == since)
            }
        }
    }

    @Test func `a server's own error tells what the call used too`() throws {
        let scripts: [String: FakeServer.Script] = [
            "failing": { server, _ in
                try server.serveLegacy { server, call in
                    server.refuse(call, -1, "no")
                    return nil
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["failing"])
            #expect(try usage(client.call("failing__echo"))?["shared"] == false)
        }
    }

    @Test func `the ledger has what was told`() throws {
        try Harness.inDirectory { directory in
            let scripts: [String: FakeServer.Script] = [
                "kept": { server, _ in try server.serveLegacy() }
            ]
            var told: JSON?
            try Harness.run(scripts, meters: ["kept": Self.all], in: directory) { harness in
                let client = try harness.client(connecting: ["kept"])
                told = try usage(client.call("kept__echo"))
            }
            let store = try Store(path: directory + "/broker.db")
            let connection = try #require(try store.connections().first)
            let figures = try store.figures(of: connection.id, newest: 9)
            #expect(figures.count == 1)
            #expect(figures[0]?.bytesIn == told?["bytesIn"]?.intValue)
            #expect(figures[0]?.memoryPeakBytes == told?["memoryPeakBytes"]?.intValue)
            #expect(figures[0]?.memoryPeakSince == "call")
            #expect(figures[0]?.cpuMicroseconds == 0)
        }
    }
}
