import JSONRPC
import Kernel
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct ClientInputTests {
    @Test func `malformed input gets one clear error and the session goes on`() throws {
        try Harness.run { harness in
            let client = try harness.client()
            let cases: [([UInt8], Int)] = [
                (Array("hello".utf8), -32700), (Array("{\"jsonrpc\":\"2.0\"".utf8), -32700),
                (Array("[]".utf8), -32600), (Array("7".utf8), -32600),
                ([0x22, 0xFF, 0x22], -32700),
                (Array(#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#.utf8), -32600),
                (Array(#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#.utf8), -32600),
                (Array(#"{"id":1,"method":"ping"}"#.utf8), -32600),
                (Array(#"{"jsonrpc":"2.0","id":1,"method":"ping","Method":"x"}"#.utf8), -32600),
                (Array(#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#.utf8), -32600),
                (Array(#"{"jsonrpc":"2.0","id":1,"method":"nope"}"#.utf8), -32601),
            ]
            for (line, code) in cases {
                try client.send(line + [0x0A])
                let answer = try client.receive()
                #expect(answer["error"]?["code"]?.intValue == code, "\(answer.text)")
            }
            // Blank lines and notifications get no answer at all.
            try client.send("\n \r\n" + #"{"jsonrpc":"2.0","method":"notifications/x"}"# + "\r\n")
            #expect(try client.request("ping")["result"] == [:])
            #expect(client.others.isEmpty)
        }
    }

    @Test func `a line over the limit is passed over`() throws {
        try Harness.run { harness in
            let client = try harness.client()
            let chunk = [UInt8](repeating: 0x20, count: 1 << 20)
            for _ in 0..<12 { try client.send(chunk) }
            #expect(try client.receive()["error"]?["code"] == -32600)
            try client.send("\n")
            #expect(try client.request("ping")["result"] == [:])
        }
    }

    @Test func `discover and initialize answer without any connection`() throws {
        try Harness.run { harness in
            let client = try harness.client()
            let found = try client.request("server/discover", TestClient.modern())["result"]
            #expect(found?["supportedVersions"] == ["2026-07-28"])
            #expect(found?["capabilities"]?["tools"] == ["listChanged": true])
            #expect(found?["capabilities"]?["extensions"]?["dev.corral/control"] == [:])
            try client.initialize()
            #expect(try client.request("tools/list")["result"] == ["tools": []])
            let old = try client.request(
                "server/discover",
                [
                    "_meta": [
                        "io.modelcontextprotocol/protocolVersion": "1900-01-01",
                        "io.modelcontextprotocol/clientCapabilities": [:],
                    ]
                ])
            #expect(old["error"]?["code"] == -32022)
            #expect(old["error"]?["data"]?["supported"] == ["2026-07-28"])
        }
    }

    @Test func `a client that runs as a sandbox's user is refused`() throws {
        let own = Identity.uid
        try Harness.run(sandboxUsers: own..<own + 1) { harness in
            let client = try harness.client()
            // It is told why, and then nothing more.
            #expect(try client.receive()["error"]?["code"] == 1001)
            let isClosed = try client.isClosed()
            #expect(isClosed)
        }
        try Harness.run(sandboxUsers: own + 1..<own + 2) { harness in
            let answer = try harness.client().request("ping")
            #expect(answer["result"] == [:])
        }
    }

    @Test func `one client's mistakes do not reach another`() throws {
        try Harness.run { harness in
            let good = try harness.client()
            for _ in 0..<20 {
                let bad = try harness.client()
                try bad.send("{{{{{{\n")
                _ = try bad.receive()
            }
            #expect(try good.request("ping")["result"] == [:])
        }
    }
}
