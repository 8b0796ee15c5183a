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

    @Test func `names that look alike are told apart, by rule`() throws {
        for names in [
            ["get_I", "get_l", "get_1"], ["m", "rn"], ["O0", "OO"], ["a\u{435}", "a_"],
        ] {
            let tools = try names.map { try tool($0) }
            let one = Catalog(connection: "c", tools: tools)
            let other = Catalog(connection: "c", tools: tools.reversed())
            let exposed = one.entries.map(\.exposedName)
            #expect(exposed == other.entries.map(\.exposedName))
            // One keeps its name; the others end in a digest.
            let plain = exposed.filter { $0.utf8.count <= "c__".utf8.count + 6 }
            #expect(plain.count <= (names[0] == "a\u{435}" ? 2 : 1), "\(exposed)")
            #expect(Set(exposed).count == names.count)
        }
        let apart = Catalog(connection: "c", tools: [try tool("list"), try tool("List")])
        #expect(apart.entries.map(\.exposedName) == ["c__List", "c__list"])
    }

    @Test func `text for people is cleaned, schemas are not`() throws {
        let definition: JSON = [
            "name": "t\u{1B}", "title": "x", "description": "x", "annotations": ["title": "x"],
            "inputSchema": ["type": "object", "description": "x"],
        ]
        let catalog = Catalog(connection: "c", .tools, [definition], clean: { _ in "clean" })
        let told = try #require(catalog.entries.first)
        #expect(told.exposedName == "c__t_")
        #expect(told.name == "t\u{1B}")
        #expect(told.definition["title"] == "clean")
        #expect(told.definition["description"] == "clean")
        #expect(told.definition["annotations"] == ["title": "clean"])
        #expect(told.definition["inputSchema"]?["description"] == "x")
        let resource: JSON = ["uri": "a:b", "name": "x"]
        let resources = Catalog(connection: "c", .resources, [resource], clean: { _ in "clean" })
        #expect(resources.entries.first?.definition["name"] == "clean")
        let prompt: JSON = ["name": "p", "arguments": [["name": "x", "description": "x"]]]
        let prompts = Catalog(connection: "c", .prompts, [prompt], clean: { _ in "clean" })
        #expect(
            prompts.entries.first?.definition["arguments"]
                == [["name": "x", "description": "clean"]])
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
