import JSONRPC
import Testing

@testable import corral

@Suite struct ToolResultTests {
    private func lines(_ content: JSON...) -> [String] {
        ToolResult(["content": .array(content)]).lines
    }

    @Test func `text keeps its lines and loses its powers`() {
        #expect(lines(["type": "text", "text": "a\n\tb\u{1b}[2J\n"]) == ["a\n\tb\\x1b[2J"])
    }

    @Test func `text that is JSON is laid out`() {
        #expect(
            lines(["type": "text", "text": #"{"a":[1,{}],"b":"é\u001b"}"#])
                == ["{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": \"é\\u001b\"\n}"])
        #expect(lines(["type": "text", "text": "{not json}"]) == ["{not json}"])
    }

    @Test func `what is no text is named`() {
        #expect(
            lines(
                ["type": "image", "mimeType": "image/png", "data": "AAAAAAAA"],
                ["type": "resource_link", "name": "n\u{1b}", "uri": "file:///x"],
                ["type": "resource", "resource": ["uri": "u", "text": "inside"]],
                ["type": "resource", "resource": ["uri": "u", "blob": "AAAA"]],
                ["type": "new\u{202e}"])
                == [
                    "[image image/png, 6 bytes; see it with --json]",
                    "[link n\\x1b file:///x]", "inside", "[resource u]",
                    "[new\\u{202e} ?, 0 bytes; see it with --json]",
                ])
    }

    @Test func `structured content stands in when there is no other`() {
        #expect(
            ToolResult(["content": [], "structuredContent": ["a": 1]]).lines
                == ["{\n  \"a\": 1\n}"])
        #expect(
            ToolResult([
                "content": [["type": "text", "text": "x"]], "structuredContent": ["a": 1],
            ]).lines == ["x"])
        #expect(ToolResult([:]).lines.isEmpty)
    }

    @Test func `a tool's own failure is known`() {
        #expect(ToolResult(["content": [], "isError": true]).isError)
        #expect(!ToolResult(["content": []]).isError)
    }
}
