import JSONRPC
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
        }
    }
}
