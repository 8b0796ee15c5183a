import JSONRPC
import SupervisorProtocol
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct HygieneTests {
    private static let hostile = "a\u{1B}[31mb\u{1B}]52;c;x\u{7}c\u{202E}d\u{200B}e\u{E0041}f\ng"
    private static let shown = "a\\x1b[31mb\\x1b]52;c;x\\x07c\\u{202e}d\\u{200b}e\\u{e0041}f\ng"

    @Test func `text that would paint, hide or reorder is shown as what it is`() throws {
        let scripts: [String: FakeServer.Script] = [
            "odd": { server, _ in
                try FeatureServer(
                    era: "legacy",
                    more: { server, message in
                        switch message["method"]?.stringValue {
                        case "tools/list":
                            let tool: JSON = [
                                "name": .string("t" + Self.hostile), "title": .string(Self.hostile),
                                "description": .string(Self.hostile),
                                "inputSchema": ["type": "object"],
                            ]
                            server.answer(message, ["tools": [tool]])
                        case "tools/call": server.refuse(message, -32602, Self.hostile)
                        default: server.refuse(message, -32601, "no")
                        }
                        return nil
                    }
                ).serve(server, except: "tools/list")
            },
            "refusing": { server, _ in
                while let message = try server.message() {
                    server.refuse(message, -32603, Self.hostile)
                }
                return server.ending()
            },
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["odd"])
            let list = try client.request("tools/list", TestClient.modern())["result"]
            let tool = try #require(list?["tools"]?.arrayValue?.first)
            #expect(tool["title"]?.stringValue == Self.shown)
            #expect(tool["description"]?.stringValue == Self.shown)
            let name = try #require(tool["name"]?.stringValue)
            #expect(name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "\(name)")
            #expect(try client.call(name)["error"]?["message"]?.stringValue == Self.shown)
            let failed = try client.request("corral/connections/register", ["card": "refusing"])
            let message = failed["error"]?["message"]?.stringValue ?? ""
            #expect(message.contains("\\x1b[31m"), "\(message)")
            #expect(message.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value < 0x7F })
        }
    }
}
