import Control
import Testing

@testable import corral

@Suite struct NetTextTests {
    private let denied = NetworkDecision(
        id: "8f3a", time: "2026-07-28T12:34:56.000Z", user: "1000", origin: .connection,
        subject: "web", policy: "default", calls: 1, call: "c-1", tools: "fetch", kind: .connect,
        address: "169.254.169.254", port: 80, reason: .deniedSet, set: "metadata",
        place: "policies/default.yaml:21", count: 3)

    private var allowed: NetworkDecision {
        var decision = denied
        (decision.reason, decision.set, decision.calls, decision.tools) = (nil, nil, 0, "")
        (decision.name, decision.rule, decision.count) = ("a\u{1b}[2J.example", "*.example:80", 1)
        decision.ending = NetworkEnd(
            sent: 1_536, received: 5 << 20, microseconds: 12_345, cause: "finished")
        return decision
    }

    @Test func `decisions stand in a table that no name can break`() {
        let open = ConnectionsNetwork.Open(
            id: "0001", subject: "web", name: "b.example", address: "::1", port: 5, seconds: 65,
            sent: 0, received: 1_023)
        let result = ConnectionsNetwork.Result(
            available: false, open: [open], decisions: [denied, allowed], next: 1, missed: 2)
        let text = NetText.lines(result, .plain).joined(separator: "\n")
        for part in [
            "there is no way out of sandboxes at present", "[::1]:5 (b.example)", "1 min 5 s",
            "1023 B", "denied: metadata ×3", "169.254.169.254:80, policies/default.yaml:21",
            "none in flight", "12:34:56", "sent 1.5 KiB, received 5 MiB in 12 ms, finished",
            #"a\x1b[2J.example"#, "2 decisions came too fast",
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        #expect(!text.contains("\u{1b}"))
    }

    @Test func `a story says who, what, which rule, and warns of what must stay shut`() {
        let text = WhyText.lines(.init(decision: denied, allowPlace: "p.yaml:3"), .plain)
            .joined(separator: "\n")
        for part in [
            "169.254.169.254:80 was refused", "connection 'web', user 1000, policy 'default'",
            "fetch (c-1)", "not given out for any name", "'metadata'", "policies/default.yaml:21",
            "3 times", "Caution",
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        #expect(!text.contains("- \""), "nobody is told to open it: \(text)")
        let fine = WhyText.lines(.init(decision: allowed, allowPlace: ""), .plain)
        #expect(fine.joined().contains("'*.example:80' of network.allow grants it"))
        #expect(!fine.joined().contains("\u{1b}"))
    }

    @Test(arguments: [
        (NetworkReason.notAllowed, nil, #"  - "db.example:5432""#),
        (.deniedSet, "private", #"  - {to: "db.example:5432", private: true}"#),
        (.hostAddress, nil, #"  - "host_addresses:5432""#),
    ])
    func `an admin is told what to type`(reason: NetworkReason, set: String?, entry: String) {
        var decision = denied
        (decision.reason, decision.set) = (reason, set)
        (decision.name, decision.port) = ("db.example", 5432)
        let advice = WhyText.advice(decision, "policies/default.yaml:9")
        #expect(advice.contains(entry), "\(advice)")
        #expect(advice.joined().contains("policies/default.yaml:9"))
    }

    @Test func `every reason is explained`() {
        for reason in NetworkReason.allCases {
            var decision = denied
            (decision.reason, decision.set) = (reason, reason == .deniedSet ? "private" : nil)
            let lines = WhyText.lines(.init(decision: decision, allowPlace: "p:1"), .plain)
            #expect(lines.contains { $0.hasPrefix("because") && $0.count > 20 })
        }
    }
}
