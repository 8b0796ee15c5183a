import JSONRPC
import MCP
import Testing

@Suite struct ResourceLinkTests {
    @Test(arguments: [
        "file:///a/b", "memo://{id}{?q}", "corral://x/y", "a", "ü:%2F..#?", "x\u{0}\"",
    ])
    func `a URI leads back to its connection and to itself`(own: String) throws {
        for connection in ["a", "a-b", "0"] {
            let exposed = ResourceURI.exposed(connection: connection, own: own)
            let split = try #require(ResourceURI.split(exposed))
            #expect(split.connection == connection)
            #expect(split.own.utf8.elementsEqual(own.utf8))
        }
    }

    @Test(arguments: ["", "corral://", "corral://a", "corral://a/", "corral:///b", "Corral://a/b"])
    func `what names no connection or nothing there is none`(uri: String) {
        #expect(ResourceURI.split(uri) == nil)
    }

    private func expose(_ result: String, _ kind: ClientCall.Kind) throws -> String? {
        // Not at the start of its buffer, as messages are that come together.
        let before = #"{"jsonrpc":"2.0","method":"uri"}"# + "\n"
        let bytes = Array((before + #"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#).utf8)
        let line = before.utf8.count..<bytes.count
        let message = try Envelope.parse(bytes, in: line)
        let told = ResourceLinks.exposed(message, bytes, of: kind, connection: "c")
        return told.map { String(decoding: $0.bytes, as: UTF8.self) }.map {
            String($0.dropFirst(#"{"jsonrpc":"2.0","id":1,"result":"#.count).dropLast())
        }
    }

    @Test func `links and embedded resources change in their URI alone`() throws {
        #expect(
            try expose(
                #"{"content":[ {"type":"text","text":"uri"},{"type":"resource_link", "uri":"a:\u0062","n":1.50},{"resource":{"uri":"x","text":"y"},"type":"resource"}]}"#,
                .tool)
                == #"{"content":[ {"type":"text","text":"uri"},{"type":"resource_link", "uri":"corral://c/a:b","n":1.50},{"resource":{"uri":"corral://c/x","text":"y"},"type":"resource"}]}"#
        )
        #expect(
            try expose(#"{"contents":[{"uri":"x","blob":""},{"uri":"y","text":""}]}"#, .resource)
                == #"{"contents":[{"uri":"corral://c/x","blob":""},{"uri":"corral://c/y","text":""}]}"#
        )
        #expect(
            try expose(
                #"{"messages":[{"role":"user","content":{"type":"resource_link","uri":"x"}}]}"#,
                .prompt)
                == #"{"messages":[{"role":"user","content":{"type":"resource_link","uri":"corral://c/x"}}]}"#
        )
    }

    @Test(arguments: [
        #"{"content":[{"type":"text","text":"a","uri":"x"}]}"#,
        #"{"content":[{"type":"resource_link","uri":7}]}"#,
        #"{"content":[{"uri":"x"},7,[],"uri"]}"#, #"{"structuredContent":{"uri":"x"}}"#,
        #"{"content":[]}"#, #"{"content":{"type":"resource_link","uri":"x"}}"#,
    ])
    func `what is no link is left alone`(result: String) throws {
        #expect(try expose(result, .tool) == nil)
    }
}
