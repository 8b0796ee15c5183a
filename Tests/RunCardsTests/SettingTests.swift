import RunCards
import Testing
import YAML

@Suite struct SettingTests {
    private func card() throws -> RunCard {
        let text = """
            version: 1
            name: c
            title: C
            description: A card
            command: [run, "{text}", "{number}", "{kind}", "{dir}"]
            settings:
              - {name: text, default: none}
              - {name: number, kind: integer, default: 3}
              - {name: kind, kind: choice, choices: [fast, slow], default: fast}
              - {name: dir, kind: directory, required: true, writable: true, hint: the data}
              - {name: more, kind: directory}
            """
        return try RunCard.read(Array(text.utf8), file: "c.yaml")
    }

    private func cause(_ settings: [String: [String]]) throws -> String {
        let card = try card()
        do {
            _ = try card.command(settings: settings)
            return "accepted"
        } catch {
            return "\(error.setting): \(error.cause)"
        }
    }

    @Test func `given values and defaults fill the command`() throws {
        let card = try card()
        #expect(
            try card.command(settings: ["dir": ["/srv/a"], "number": ["-4"]]) == [
                "run", "none", "-4", "fast", "/srv/a",
            ])
        #expect(
            try card.directories(settings: ["dir": ["/srv/a"], "more": ["/b"]]) == [
                .init(path: "/srv/a", writable: true), .init(path: "/b", writable: false),
            ])
        #expect(try card.directories(settings: ["dir": ["/srv/a"]]).count == 1)
    }

    @Test func `an error names setting, card, cause and what would be right`() throws {
        let card = try card()
        let missing = #expect(throws: SettingError.self) { try card.command(settings: [:]) }
        #expect(
            missing?.description
                == "cannot use setting 'dir' of card 'c': it must be given (the data)")
        let unknown = #expect(throws: SettingError.self) {
            try card.command(settings: ["dri": ["/srv"]])
        }
        #expect(
            unknown?.description
                == "cannot use setting 'dri' of card 'c': no such setting (did you mean 'dir'?)")
    }

    @Test(arguments: [
        ("number", "4.5"), ("number", "+4"), ("number", "04"), ("number", ""), ("number", "0x1"),
        ("number", "99999999999999999999"), ("kind", "medium"), ("kind", ""), ("text", "a\nb"),
        ("text", "a\u{0}b"), ("text", "a\u{1B}b"), ("text", "-rf"), ("text", "--option=x"),
        ("dir", "srv"), ("dir", "/srv/../etc"), ("dir", "/srv/"), ("dir", "//srv"), ("dir", ""),
        ("dir", "/"), ("dir", "/proc"), ("dir", "/proc/1"), ("dir", "/sys/fs"), ("dir", "/dev"),
        ("dir", "/tmp"), ("dir", "/home"), ("dir", "/home/tool"), ("dir", "/home/tool/x"),
        ("dir", "/opt"), ("dir", "/opt/card/bin"), ("dir", "/srv\n"),
    ])
    func `a value that does not fit its kind is refused`(name: String, value: String) throws {
        var settings = ["dir": ["/srv/a"]]
        settings[name] = [value]
        #expect(try cause(settings).hasPrefix("\(name): "))
    }

    @Test(arguments: ["/tmp/work", "/home/tools", "/home/alice", "/opt/cards", "/processes"])
    func `a directory beside the sandbox's own is accepted`(path: String) throws {
        #expect(try cause(["dir": [path]]) == "accepted")
    }

    @Test func `several values, long values and long words are refused`() throws {
        #expect(try cause(["dir": ["/a", "/b"]]) == "dir: takes one value, not 2")
        #expect(try cause(["dir": []]) == "dir: takes one value, not 0")
        let long = String(repeating: "x", count: 4097)
        #expect(try cause(["dir": ["/a"], "text": [long]]) == "text: longer than 4096 bytes")
        let text = """
            version: 1
            name: c
            title: C
            description: A card
            free_command: true
            command: ["{w}"]
            settings: [{name: w, kind: words, required: true}]
            """
        let free = try RunCard.read(Array(text.utf8), file: "c.yaml")
        let tooMany = [String](repeating: "x", count: 513)
        #expect(throws: SettingError.self) { try free.command(settings: ["w": tooMany]) }
        let tooLong = [String](repeating: String(repeating: "x", count: 1024), count: 64)
        #expect(throws: SettingError.self) { try free.command(settings: ["w": tooLong]) }
        #expect(throws: SettingError.self) { try free.command(settings: ["w": ["a\u{0}"]]) }
        #expect(try free.command(settings: ["w": ["a", "", "-x\n"]]) == ["a", "", "-x\n"])
    }
}
