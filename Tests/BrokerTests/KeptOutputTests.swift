import JSONRPC
import SupervisorProtocol
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct KeptOutputTests {
    private let scripts: [String: FakeServer.Script] = [
        "flood": { server, _ in
            try server.serveLegacy { server, call in
                let size = call["params"]?["arguments"]?["size"]?.intValue ?? 0
                let text = String(repeating: "aé", count: size / 3)
                server.answer(call, ["content": [["type": "text", "text": .string(text)]]])
                return nil
            }
        }
    ]

    /// Reads all pieces, in the era that is asked for.
    private func read(_ client: TestClient, _ first: JSON, isModern: Bool) throws -> String {
        var text = ""
        var next: JSON? = first
        for _ in 0..<100 {
            guard let uri = next else { return text }
            let params: JSON = ["uri": uri]
            let answer = try client.request(
                "resources/read", isModern ? TestClient.modern(params) : params)
            let piece = try #require(
                answer["result"]?["contents"]?.arrayValue?.first, "\(answer.text)")
            #expect((piece["text"]?.stringValue ?? "").utf8.count <= 32 << 10)
            text += piece["text"]?.stringValue ?? ""
            next = piece["_meta"]?["dev.corral/next"]
        }
        return text
    }

    // Just over the policy's limit of 64 KiB, and over any line there may be.
    @Test(arguments: [70 << 10, 400 << 10])
    func `the beginning of an answer that is too large can be read in pieces`(size: Int) throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["flood"])
            try client.initialize()
            let error = try client.call("flood__echo", ["size": .integer(size)])["error"]
            #expect(error?["code"] == 1019)
            let uri = try #require(error?["data"]?["resource"])
            for isModern in [true, false] {
                let text = try read(client, uri, isModern: isModern)
                #expect((65_532...65_536).contains(text.utf8.count))
                #expect(text.hasPrefix(#"{"content":[{"type":"text","text":"aéaé"#))
                #expect(!text.contains("\u{FFFD}"))
            }
        }
    }

    @Test func `only the newest are kept, and only what there is can be read`() throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["flood"])
            let uris = try (0..<9).map { _ in
                let answer = try client.call("flood__echo", ["size": .integer(70 << 10)])
                return answer["error"]?["data"]?["resource"]?.stringValue ?? ""
            }
            #expect(Set(uris).count == 9)
            func code(_ uri: String) throws -> JSON? {
                try client.request("resources/read", TestClient.modern(["uri": .string(uri)]))[
                    "error"]?["code"]
            }
            #expect(try code(uris[0]) == -32602)
            for uri in uris.dropFirst() { #expect(try code(uri) == nil) }
            for tail in ["/-1", "/65536", "/9999999", "/x", "/", "/0/0", "x"] {
                #expect(try code(uris[8] + tail) == -32602, "\(tail)")
            }
            #expect(try code("corral-output://") == -32602)
            let restricted = try harness.client()
            _ = try restricted.request("corral/session/restrict", ["connection": "other"])
            let seen = try restricted.request(
                "resources/read", TestClient.modern(["uri": .string(uris[8])]))
            #expect(seen["error"]?["code"] == -32602)
            _ = try client.request("corral/connections/remove", ["name": "flood"])
            #expect(try code(uris[8]) == -32602)
        }
    }
}
