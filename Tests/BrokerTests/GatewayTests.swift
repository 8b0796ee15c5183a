import Control
import Glibc
import JSONRPC
import Kernel
import NetworkRules
import SupervisorProtocol
import Synchronization
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct GatewayTests {
    /// Answers each call when `go` is marked, after it has marked `came`.
    private static func waiting(_ came: Marks, _ go: Marks) -> FakeServer.Script {
        { server, _ in
            try server.serveLegacy { server, call in
                came.set()
                go.wait()
                let content: JSON = ["content": [["type": "text", "text": "x"]], "isError": true]
                server.answer(call, content)
                return nil
            }
        }
    }

    private static let plain: FakeServer.Script = { server, _ in try server.serveLegacy() }

    private static let params = TestClient.modern(["name": "net__echo", "arguments": [:]])

    /// Asks until the daemon says of the gateway what is wanted.
    private static func wait(_ client: TestClient, available: Bool) throws {
        while try client.request("corral/connections/network")["result"]?["available"]
            != .bool(available)
        {}
    }

    @Test func `without a gateway calls of networked servers end at once, others do not`() throws {
        let (came, go) = (try Marks(), try Marks())
        let scripts = ["net": Self.waiting(came, go), "plain": Self.plain]
        try Harness.run(scripts) { harness in
            let first = try harness.supervisor.giveGateway()
            let client = try harness.client(connecting: ["net", "plain"])
            let call = try client.ask("tools/call", Self.params)
            came.wait()
            try first.die()
            try Self.wait(client, available: false)
            let refused = try client.call("net__echo")["error"]
            #expect(refused?["code"] == 1027)
            #expect(refused?["data"]?["reason"] == "network_unavailable")
            #expect(refused?["data"]?["hint"]?.stringValue?.isEmpty == false)
            #expect(try client.call("plain__echo")["result"] != nil)
            go.set()
            let result = try client.answer(to: call)["result"]
            #expect(result?["_meta"]?["dev.corral/network"]?["unavailable"] == true)
            let text = result?["content"]?.arrayValue?.last?["text"]?.stringValue ?? ""
            #expect(text.hasPrefix("network_unavailable: "), "\(text)")
            _ = try harness.supervisor.giveGateway()
            let second = try harness.supervisor.giveGateway()
            try Self.wait(client, available: true)
            go.set()
            let later = try client.call("net__echo")["result"]
            #expect(later?["_meta"]?["dev.corral/network"] == nil)
            try second.die()
        }
    }

    /// What no gateway sends, by what is wrong with it.
    private static let broken: [String: [UInt8]] = [
        "nothing": [], "a byte": [1], "a length alone": [0xff, 0xff, 0xff, 0xff],
        "too much": [UInt8](repeating: 0x41, count: 17 << 10),
        "an answer nobody asked for": EgressEvent.flushed(serial: 77).encoded() ?? [],
        "a name beyond DNS": EgressEvent.decided(
            EgressDecision(
                number: 1, sandbox: 1, owner: "", time: 0, kind: .connect,
                name: String(repeating: "a", count: 256), address: nil, port: 1, denial: nil,
                rule: "", place: "")
        ).encoded() ?? [],
        "a byte too many": (EgressEvent.lost(count: 1).encoded() ?? []) + [0],
    ]

    @Test(arguments: broken.keys.sorted())
    func `a gateway that breaks the protocol is dropped`(by what: String) throws {
        let bytes = try #require(Self.broken[what])
        try Harness.run(["net": Self.plain]) { harness in
            let gateway = try harness.supervisor.giveGateway()
            let client = try harness.client(connecting: ["net"])
            // An empty datagram is how the other side's end looks, so the test closes it.
            if bytes.isEmpty { try gateway.die() } else { try gateway.send(bytes) }
            #expect(try gateway.notice() == nil)
            try Self.wait(client, available: false)
            #expect(try client.call("net__echo")["error"]?["code"] == 1027)
            #expect(try client.request("corral/status")["result"] != nil)
        }
    }

    @Test func `a flood of decisions costs bounded memory and nobody else's time`() throws {
        try Harness.run(["net": Self.plain, "plain": Self.plain]) { harness in
            let gateway = try harness.supervisor.giveGateway()
            let client = try harness.client(connecting: ["net", "plain"])
            for number in 0..<100_000 {
                // Different ones, so that none is told as a repetition.
                try gateway.decide(
                    1, port: UInt16(number % 60_000 + 1),
                    number % 2 == 0 ? FakeGateway.metadata : nil, name: "n\(number).example")
                if number % 20_000 == 0 {
                    #expect(try client.call("plain__echo")["result"] != nil)
                }
            }
            #expect(try client.call("net__echo")["result"] != nil)
            let seen = try client.request("corral/connections/network", ["lines": 1_000])["result"]
            #expect(seen?["decisions"]?.arrayValue?.count == 1_000)
            #expect((seen?["missed"]?.intValue ?? 0) > 50_000)
            #expect(seen?["open"]?.arrayValue?.count == 1_000)
        }
    }

    @Test func `what the gateway holds back in a flood is waited for`() throws {
        let (came, go) = (try Marks(), try Marks())
        try Harness.run(["net": Self.waiting(came, go)]) { harness in
            let gateway = try harness.supervisor.giveGateway()
            let client = try harness.client(connecting: ["net"])
            let call = try client.ask("tools/call", Self.params)
            came.wait()
            try gateway.fill()
            go.set()
            guard case .flush(let serial)? = try gateway.notice() else {
                Issue.record("the gateway was not asked")
                return
            }
            try gateway.decide(1)
            try gateway.tell(.flushed(serial: serial))
            let result = try client.answer(to: call)["result"]
            let denied = result?["_meta"]?["dev.corral/network"]?["denied"]?.arrayValue
            #expect(denied?.count == 1)
        }
    }

    @Test func `the gateway hears of calls and of the day where bytes are limited`() throws {
        let network = ["bytes_per_call: 1MiB", "bytes_per_day: 1GiB"]
        try Harness.run(["net": Self.plain], network: network) { harness in
            let gateway = try harness.supervisor.giveGateway()
            let client = try harness.client(connecting: ["net"])
            for _ in 0..<2 { #expect(try client.call("net__echo")["result"] != nil) }
            for _ in 0..<2 {
                #expect(try gateway.notice() == .callBegan(sandbox: 1))
                #expect(try gateway.notice() == .callEnded(sandbox: 1))
            }
            let connections = try client.request("corral/connections/list")["result"]
            let id = connections?["connections"]?.arrayValue?.first?["id"]?.stringValue ?? ""
            var now = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &now)
            let number = try gateway.decide(1, nil, owner: id)
            try gateway.tell(
                .ended(
                    EgressEnding(
                        number: number, sandbox: 1, time: UInt64(now.tv_sec) * 1_000_000, sent: 5,
                        received: 7, microseconds: 1, cause: .finished)))
            // Has the broker read it.
            #expect(try client.call("net__echo")["result"] != nil)
            let rows = try client.request("corral/connections/network")["result"]?["decisions"]
            #expect(rows?.arrayValue?.first?["ending"]?["received"] == 7)
            let next = try harness.supervisor.giveGateway()
            #expect(try next.notice() == .spent(sandbox: 1, bytes: 12))
        }
    }

    @Test func `a limit that ends a connection is told to the call and by its name`() throws {
        let (came, go) = (try Marks(), try Marks())
        try Harness.run(["net": Self.waiting(came, go)]) { harness in
            let gateway = try harness.supervisor.giveGateway()
            let client = try harness.client(connecting: ["net"])
            let call = try client.ask("tools/call", Self.params)
            came.wait()
            let number = try gateway.decide(1, nil)
            try gateway.tell(
                .ended(
                    EgressEnding(
                        number: number, sandbox: 1, time: 2, sent: 5, received: 7,
                        microseconds: 1, cause: .denied,
                        denial: Denial(.bytesPerCall, place: "policies/default.yaml:30"))))
            go.set()
            let result = try client.answer(to: call)["result"]
            let text = result?["content"]?.arrayValue?.last?["text"]?.stringValue ?? ""
            let start = "network_denied: 169.254.169.254:80 (network.bytes_per_call), "
            #expect(text.hasPrefix(start + "policies/default.yaml:30, corral why "), "\(text)")
        }
    }

    @Test func `open connections tell their bytes, and news are waited for`() throws {
        try Harness.run(["net": Self.plain]) { harness in
            let gateway = try harness.supervisor.giveGateway()
            let client = try harness.client(connecting: ["net"])
            let number = try gateway.decide(1, nil, name: "api.example.com")
            #expect(try client.call("net__echo")["result"] != nil)
            let list = try client.ask("corral/connections/network", ["name": "net"])
            guard case .measure(1, let serial)? = try gateway.notice() else {
                Issue.record("the gateway was not asked")
                return
            }
            let progress = EgressProgress(number: number, sandbox: 1, sent: 3, received: 4)
            try gateway.tell(.moved(progress))
            try gateway.tell(.flushed(serial: serial))
            let seen = try client.answer(to: list)["result"]
            let open = seen?["open"]?.arrayValue?.first
            #expect(open?["sent"] == 3 && open?["received"] == 4)
            #expect(open?["name"] == "api.example.com" && open?["subject"] == "net")
            let params: JSON = ["name": "net", "after": seen?["next"] ?? 0]
            let news = try client.ask("corral/connections/network", params)
            let gone = try client.ask("corral/connections/network", params)
            try client.send(
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(gone)}}"#
                    + "\n")
            try gateway.decide(1)
            let rows = try client.answer(to: news)["result"]?["decisions"]?.arrayValue
            #expect(rows?.map { $0["reason"] } == ["denied_set"])
        }
    }

    @Test func `commands and unknown sandboxes are told by their owner`() throws {
        try Harness.run([:]) { harness in
            let gateway = try harness.supervisor.giveGateway()
            let client = try harness.client()
            let me = try client.request("corral/whoami")["result"]?["user"]?.stringValue ?? ""
            try gateway.decide(900, port: 1, owner: "run \(me)")
            try gateway.decide(901, port: 2, owner: "run 4242")
            try gateway.decide(902, port: 3, owner: "install \u{1b}x")
            try gateway.decide(903, port: 4, owner: "rubbish")
            func ports() throws -> [Int] {
                let answer = try client.request("corral/connections/network")["result"]
                return (answer?["decisions"]?.arrayValue ?? []).compactMap { $0["port"]?.intValue }
            }
            let expected = Identity.uid == 0 ? [1, 2, 3, 4] : [1]
            while try ports().count < expected.count {}
            #expect(try ports() == expected)
        }
    }

    @Test func `the destinations of a command reach the supervisor`() throws {
        let access = "allow: [{users: ['*'], run: [default]}]"
        try Harness.run([:], access: access) { harness in
            let client = try harness.client()
            let params: JSON = [
                "policy": "default", "command": ["missing"], "allow": ["api.example.com:443"],
            ]
            #expect(try client.request("corral/run", params)["error"] != nil)
            #expect(harness.supervisor.allowed == [["api.example.com:443"]])
        }
    }

    @Test(.enabled(if: Identity.uid == 0, "only root may reload"))
    func `a reload changes what is decided, and mistakes change nothing`() throws {
        try Harness.run(["plain": Self.plain]) { harness in
            let client = try harness.client(connecting: ["plain"])
            #expect(try client.call("plain__echo")["result"] != nil)
            harness.next.access.withLock { $0 = "allow: []" }
            harness.supervisor.mistakes.withLock { $0 = "a.yaml:1:2: no\nb.yaml:3:4: no" }
            let failed = try client.request("corral/reload")["result"]
            #expect(failed?["mistakes"] == ["a.yaml:1:2: no", "b.yaml:3:4: no"])
            #expect(try client.call("plain__echo")["result"] != nil)
            harness.supervisor.mistakes.withLock { $0 = "" }
            #expect(try client.request("corral/reload")["result"]?["mistakes"] == [])
            #expect(try client.call("plain__echo")["error"]?["code"] == 1001)
            harness.next.access.withLock { $0 = nil }
            harness.supervisor.tellReloaded()
            while try client.call("plain__echo")["error"] != nil {}
            harness.next.access.withLock { $0 = "rubbish" }
            let broken = try client.request("corral/reload")["result"]?["mistakes"]?.arrayValue
            #expect(broken?.isEmpty == false)
            #expect(try client.call("plain__echo")["result"] != nil)
            #expect(harness.supervisor.starts(of: "plain") == 1)
        }
    }
}
