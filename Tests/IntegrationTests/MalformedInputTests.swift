import JSONRPC
import Kernel
import Testing

extension IntegrationTests {
    /// Bytes that no good client sends: each gets one clear error, and the socket serves on.
    @Suite struct MalformedInputTests {
        private static let lineBytesMax = 10 << 20

        @Test func `malformed lines and messages are answered and harm nobody`() throws {
            let corral = try Corral()
            var bystander = try RawClient(corral.socket)
            try bystander.initialize()
            let cases: [(bytes: [UInt8], code: Int)] = [
                (Array("{\"jsonrpc\":".utf8), -32700),
                (Array("\u{FEFF}{}".utf8), -32700),
                ([0x22, 0xFF, 0xFE, 0x22], -32700),
                (Array(#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#.utf8), -32600),
                (Array(String(repeating: "[", count: 100_000).utf8), -32700),
                (Array("[]".utf8), -32600),
                (Array("42".utf8), -32600),
                (Array(#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#.utf8), -32600),
                (Array(#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#.utf8), -32600),
                (Array(#"{"jsonrpc":"2.0","id":1,"method":7}"#.utf8), -32600),
            ]
            for (bytes, code) in cases {
                var client = try RawClient(corral.socket)
                try client.initialize()
                try client.send(bytes + [UInt8(ascii: "\n")])
                let answer = try client.nextMessage()
                let sent = String(decoding: bytes.prefix(60), as: UTF8.self)
                #expect(
                    answer?["error"]?["code"]?.intValue == code,
                    "\(sent): \(answer?.text ?? "closed")")
                #expect(try ping(&bystander))
            }
        }

        @Test func `unknown methods and tools are errors of their own`() throws {
            let corral = try Corral()
            var client = try RawClient(corral.socket)
            try client.initialize()
            let method = try client.request(["jsonrpc": "2.0", "id": 1, "method": "no/such/method"])
            #expect(method?["error"]?["code"]?.intValue == -32601)
            let tool = try client.request([
                "jsonrpc": "2.0", "id": 2, "method": "tools/call",
                "params": ["name": "nobody__nothing", "arguments": [:]],
            ])
            #expect(tool?["error"]?["code"]?.intValue != nil, "\(tool?.text ?? "closed")")
            #expect(try ping(&client))
        }

        @Test func `a line over the limit is refused and harms nobody`() throws {
            let corral = try Corral()
            var bystander = try RawClient(corral.socket)
            try bystander.initialize()
            var client = try RawClient(corral.socket)
            try client.initialize()
            let chunk = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
            do {
                for _ in 0...(Self.lineBytesMax >> 20) { try client.send(chunk) }
            } catch is KernelError {
                // The broker hung up in the middle of the line, which it may.
            }
            let answer = try client.nextMessage()
            #expect(answer == nil || answer?["error"]?["code"]?.intValue != nil)
            #expect(try ping(&bystander))
        }

        private func ping(_ client: inout RawClient) throws -> Bool {
            try client.request(["jsonrpc": "2.0", "id": "p", "method": "ping"])?["result"] != nil
        }
    }
}
