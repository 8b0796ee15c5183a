import JSONRPC
import MCP
import Testing

@Suite struct CatalogTests {
    private func tool(_ name: String, _ more: JSON = [:]) throws -> ToolDefinition {
        var json = more
        json["name"] = .string(name)
        json["inputSchema"] = ["type": "object"]
        return try #require(ToolDefinition(json))
    }

    @Test func `tools are exposed under their connection's name`() throws {
        let catalog = Catalog(connection: "time", tools: [try tool("b.x"), try tool("a_1")])
        #expect(catalog.entries.map(\.exposedName) == ["time__a_1", "time__b_x"])
        #expect(catalog["time__b_x"]?.name == "b.x")
        #expect(catalog["time__b.x"] == nil)
    }

    @Test func `names that would be equal or too long stay apart, by rule`() throws {
        let long = String(repeating: "n", count: 128)
        let tools = [try tool("a.b"), try tool("a/b"), try tool("a_b"), try tool(long)]
        let one = Catalog(connection: "c", tools: tools)
        let other = Catalog(connection: "c", tools: tools.reversed())
        #expect(one.entries.map(\.exposedName) == other.entries.map(\.exposedName))
        #expect(Set(one.entries.map(\.exposedName)).count == 4)
        #expect(one.entries.allSatisfy { $0.exposedName.utf8.count <= Limit.exposedNameBytes })
        #expect(Set(one.entries.map(\.name)) == ["a.b", "a/b", "a_b", long])
    }

    @Test func `the connection's part ends at the first separator`() {
        #expect(ToolName.connection(of: "my-time__a__b") == "my-time")
        #expect(ToolName.connection(of: "time_a") == nil)
        #expect(ToolName.connection(of: "__a") == nil)
        #expect(ToolName.connection(of: "") == nil)
    }

    @Test func `a list is written for the era that asked`() throws {
        let catalog = Catalog(
            connection: "c",
            tools: [
                try tool(
                    "t", ["outputSchema": ["type": "array"], "execution": ["taskSupport": "x"]])
            ])
        var out = LineWriter()
        Answers.list(
            .integer(1), .legacy, .tools, entries: catalog.entries, nextCursor: "c__t", into: &out)
        let sent1 = out.takeLines()
        #expect(
            sent1 == [
                #"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"c__t","inputSchema":{"type":"object"}}],"nextCursor":"c__t"}}"#
            ])
        Answers.list(
            .integer(1), .modern, .tools, entries: catalog.entries, nextCursor: nil, into: &out)
        let sent2 = out.takeLines()
        #expect(
            sent2 == [
                #"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"outputSchema":{"type":"array"},"name":"c__t","inputSchema":{"type":"object"}}],"resultType":"complete","ttlMs":0,"cacheScope":"private"}}"#
            ])
    }
}
