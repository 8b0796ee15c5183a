import Testing
import YAML

@Suite struct ParserTests {
    private func parse(_ text: String) throws -> Node {
        try Parser.parse(Array(text.utf8), file: "f.yaml")
    }

    private func mistakes(_ text: String) -> [String] {
        do {
            _ = try Parser.parse(Array(text.utf8), file: "f.yaml")
            return []
        } catch {
            return error.all.map(\.description)
        }
    }

    @Test func `every node knows its line and column, counted from one`() throws {
        let node = try parse("a: 1\nb:\n  - x\n  - {c: 'é', d: y}\n")
        #expect(node.place == Place(file: "f.yaml", line: 1, column: 1))
        #expect(node["a"]?.place == Place(file: "f.yaml", line: 1, column: 4))
        let items = try #require(node["b"]?.items)
        #expect(items.map(\.place.line) == [3, 4])
        // Columns count characters, not bytes: é is one.
        #expect(items[1]["d"]?.place == Place(file: "f.yaml", line: 4, column: 17))
    }

    @Test func `scalars stay text and remember how they were written`() throws {
        let node = try parse("a: no\nb: 'no'\nc: |\n  no\nd: 1.0\n")
        func scalar(_ name: String) -> Node.Scalar? {
            guard case .scalar(let scalar) = node[name]?.content else { return nil }
            return scalar
        }
        #expect(scalar("a")?.text == "no")
        #expect(scalar("a")?.style == .plain)
        #expect(scalar("b")?.style == .quoted)
        #expect(scalar("c")?.text == "no\n")
        #expect(scalar("c")?.style == .block)
        #expect(scalar("d")?.text == "1.0")
    }

    @Test func `an offset in a scalar is a column unless the source is written otherwise`() throws {
        let node = try parse("a: plain\nb: 'quoted'\nc: \"es\\tcaped\"\n")
        #expect(node["a"]?.place(ofCharacter: 2).column == 6)
        #expect(node["b"]?.place(ofCharacter: 2).column == 7)
        #expect(node["c"]?.place(ofCharacter: 2).column == 4)
    }

    @Test func `all duplicate keys are reported at once`() {
        #expect(
            mistakes("a: 1\nb: 2\na: 3\nc: {d: 1, d: 2}\n") == [
                "f.yaml:3:1: duplicate key 'a' (first in line 1)",
                "f.yaml:4:11: duplicate key 'd' (first in line 4)",
            ])
    }

    @Test(arguments: [
        ("a: &x 1\n", "f.yaml:1:4: anchor '&x' is not accepted: write the value itself"),
        ("a: !!int 1\n", "f.yaml:1:4: tag 'tag:yaml.org,2002:int' is not accepted"),
        ("a: !x {b: 1}\n", "f.yaml:1:4: tag '!x' is not accepted"),
        ("a: &x [1]\n", "f.yaml:1:4: anchor '&x' is not accepted"),
        ("<<: *x\n", "f.yaml:1:5: alias '*x' is not accepted"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document is not accepted"),
        ("%YAML 1.1\n---\na: 1\n", "f.yaml:1:1: directives (%YAML, %TAG) are not accepted"),
        ("[a]: 1\n", "f.yaml:1:1: a key must be a name, not a list"),
        ("? \n: 1\n", "a key must be a name, not nothing"),
        ("", "f.yaml:1:1: file is empty"),
        ("# only a comment\n", "file is empty"),
        ("---\n", "file is empty"),
        ("a: [1\n", "f.yaml:2:1: not valid YAML: "),
        ("a: 1\n b: 2\n", "f.yaml:2:3: not valid YAML: "),
        ("a: \u{1}\n", "not valid YAML: control characters are not allowed at byte 3"),
    ])
    func `what a configuration file has no use for is refused`(text: String, message: String) {
        let found = mistakes(text)
        #expect(found.count == 1)
        #expect(found.first?.contains(message) ?? false, "\(found)")
    }

    @Test func `invalid UTF-8 is refused`() {
        #expect(throws: Mistakes.self) {
            try Parser.parse([0x61, 0x3A, 0x20, 0xFF, 0x0A], file: "f.yaml")
        }
    }

    @Test func `size, depth and number of values are limited`() throws {
        let deepest = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        _ = try parse(deepest)
        #expect(mistakes("[\(deepest)]").first?.contains("deeper than 32") ?? false)
        // 20,000 nodes in all: the list and 19,999 elements.
        let elements = Array(repeating: "a", count: 19_999).joined(separator: ",")
        _ = try parse("[\(elements)]")
        #expect(mistakes("[\(elements),a]").first?.contains("more than 20000") ?? false)
        let padding = String(repeating: "#", count: Parser.fileBytes - 5)
        _ = try parse("a: 1\n" + padding)
        #expect(mistakes("a: 1\n#" + padding).first?.contains("larger than 256 KiB") ?? false)
    }

    @Test func `a message shows control characters instead of sending them`() {
        #expect(printable("a\u{1B}[2Jb") == "a\\u{1B}[2Jb")
        #expect(printable("a\u{202E}b") == "a\\u{202E}b")
        #expect(printable(String(repeating: "x", count: 100)).count == 81)
    }

    @Test func `mistakes come sorted, each once`() {
        let place = { Place(file: "f", line: $0, column: 1) }
        let all = Mistakes([
            Mistake(place(10), "b"), Mistake(place(2), "z"), Mistake(place(10), "a"),
            Mistake(place(2), "z"),
        ]).all
        #expect(all.map(\.description) == ["f:2:1: z", "f:10:1: a", "f:10:1: b"])
    }
}
