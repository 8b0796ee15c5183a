import Testing
import YAML

/// A record with a key of every kind.
private struct Sample: Sendable, Equatable {
    var size = 0
    var time = Duration.zero
    var cores = 0
    var count = 0
    var flag = false
    var text = ""
    var path: String?
    var word = ""
    var names: [String] = []
    var inner: [Inner] = []

    struct Inner: Sendable, Equatable {
        var name = ""
        var level = 0

        static let schema = Schema(
            start: Inner(),
            [
                Key("name", .name(), .required, \.name, "Its name."),
                Key("level", .integer(0...9), .standard("3"), \.level, "Its level."),
            ])
    }

    static let schema = Schema(
        start: Sample(),
        [
            Key("size", .size(1 << 10...1 << 30), .standard("2MiB"), \.size, "A size."),
            Key(
                "time", .duration(.milliseconds(10)...(.seconds(3600)), step: .milliseconds(10)),
                .standard("10s"), \.time, "A time."),
            Key("cores", .cores(10...8000), .standard("1.0"), \.cores, "Cores."),
            Key("count", .integer(-5...100), .standard("7"), \.count, "A count."),
            Key("flag", .boolean, .standard("false"), \.flag, "A flag."),
            Key("text", .text(limit: 8), .standard("no"), \.text, "Some text."),
            Key(optional: "path", .path, \.path, "A path."),
            Key("word", .word(of: ["red", "green"]), .standard("red"), \.word, "A colour."),
            Key("names", .list(of: .name(), limit: 3), .standard("[]"), \.names, "Names."),
            Key(
                "inner", .list(of: .record(Inner.schema)), .standard("[]"), \.inner,
                "Records."),
        ])
}

@Suite struct SchemaTests {
    private func read(_ text: String) throws -> Sample {
        try Sample.schema.read(Array(text.utf8), file: "f").value
    }

    private func mistakes(_ text: String) -> [String] {
        do {
            _ = try Sample.schema.read(Array(text.utf8), file: "f")
            return []
        } catch {
            return error.all.map(\.description)
        }
    }

    @Test func `absent keys have their defaults, read like written ones`() throws {
        let sample = try read("{}")
        #expect(sample.size == 2 << 20)
        #expect(sample.time == .seconds(10))
        #expect(sample.cores == 1000)
        #expect(sample.text == "no")
        #expect(sample.path == nil)
    }

    @Test func `each scalar is what its key says, however it looks`() throws {
        let sample = try read(
            """
            size: 65536
            time: 500ms
            cores: 0.05
            count: 0
            flag: true
            text: off
            path: /srv/x
            word: green
            names: [no, "1"]
            inner: [{name: y}, {name: n, level: 9}]
            """)
        #expect(sample.size == 65536)
        #expect(sample.time == .milliseconds(500))
        #expect(sample.cores == 50)
        #expect(sample.flag)
        #expect(sample.text == "off")
        #expect(sample.path == "/srv/x")
        #expect(sample.names == ["no", "1"])
        #expect(sample.inner == [.init(name: "y", level: 3), .init(name: "n", level: 9)])
    }

    @Test func `places are kept by path for what was written`() throws {
        let document = try Sample.schema.read(
            Array("size: 1KiB\ninner:\n  - {name: a}\n".utf8), file: "f")
        #expect(document.places["size"] == Place(file: "f", line: 1, column: 7))
        #expect(document.places["inner[0].name"] == Place(file: "f", line: 3, column: 12))
        #expect(document.places["time"] == nil)
    }

    @Test func `all mistakes of a file come at once, in order`() {
        let found = mistakes(
            """
            sise: 1MiB
            time: 10
            cores: 1.2345
            flag: yes
            inner: [{level: 10}, x]
            names: {a: 1}
            word:
            """)
        #expect(
            found.map { String($0.prefix(while: { $0 != "(" })) } == [
                "f:1:1: unknown key 'sise' ",
                "f:2:7: '10' is not accepted: write a whole number with ms, s, m, h or d, like 30s",
                "f:3:8: '1.2345' is not accepted: write cores with at most three decimals, like 0.5",
                "f:4:7: 'yes' is not accepted: write true or false",
                "f:5:9: missing key 'name' ",
                "f:5:17: '10' is not accepted: must be whole number, 0 to 9",
                "f:5:22: must be a mapping with keys, not text",
                "f:6:8: takes a list of name, a-z 0-9 - _, at most 32, not a mapping",
                "f:7:1: key 'word' has no value ",
            ])
        #expect(found[0] == "f:1:1: unknown key 'sise' (did you mean 'size'?)")
    }

    @Test(arguments: [
        "size: 1MB", "size: 1.5MiB", "size: -1", "size: 1023", "size: 1025MiB",
        "size: 99999999999999999999", "size: 9223372036854775807TiB", "size: MiB", "size: 01KiB",
        "size: 1 MiB", "time: 15ms", "time: 1.5s", "time: 61m", "time: 9999999999999999999d",
        "time: ms", "cores: .5", "cores: 1.", "cores: 9", "cores: 0.001", "cores: 1e3",
        "count: +1", "count: 0x10", "count: 010", "count: 101", "text: 123456789",
        "text: \"a\\tb\"", "path: srv", "path: /a/../b", "path: /a//b", "path: /a/", "path: /a/./b",
        "word: blue", "names: [a, b, c, d]", "names: [A]", "names: [-a]", "names: ['']",
        "flag: True", "text: [a]", "text: {a: 1}",
    ])
    func `a value that does not fit is refused where it stands`(text: String) {
        let found = mistakes(text)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix("f:1:") ?? false)
    }

    @Test(arguments: [
        ("limts", "limits"), ("memroy", "memory"), ("nmae", "name"), ("comand", "command"),
        ("x", nil), ("fd", nil), ("environmental", "environment"), ("LIMITS", nil),
    ])
    func `a near name is suggested, a far one is not`(word: String, hint: String?) {
        let known = ["limits", "memory", "name", "command", "environment", "cpu"]
        #expect(nearest(word, among: known) == hint)
    }

    @Test func `quantities are written the way they are read`() {
        #expect(
            [128 << 20, 1536, 1500, 1 << 40].map(sizeText) == ["128MiB", "1536", "1500", "1TiB"])
        let times: [Duration] = [.seconds(600), .milliseconds(1500), .seconds(86_400)]
        #expect(times.map(durationText) == ["10m", "1500ms", "1d"])
        #expect([1000, 500, 1250, 10].map(coresText) == ["1", "0.5", "1.25", "0.01"])
    }

    @Test func `the table lists every key with its type and default`() {
        let table = Sample.schema.table()
        #expect(table.hasPrefix("| key | takes | default | what it does |\n|---|---|---|---|\n"))
        #expect(table.contains("| `size` | size, 1KiB to 1GiB | `2MiB` | A size. |\n"))
        #expect(table.contains("| `path` | absolute path |  | A path. |\n"))
        #expect(
            table.contains(
                "| `inner[].name` | name, a-z 0-9 - _, at most 32 | required | Its name. |\n"))
        #expect(table.split(separator: "\n").count == 2 + 12)
    }
}
