import Control
import Testing

@testable import corral

@Suite struct SettingWordsTests {
    private let card = Card(
        name: "c", title: "C", description: "",
        settings: [
            .init(name: "folder", kind: .directory, required: true),
            .init(name: "zone", kind: .string, required: false),
            .init(name: "command", kind: .words, required: false),
        ], credentials: [], network: [])

    @Test func `words become settings and directories absolute`() throws {
        let values = try SettingWords(card, connection: "x").values(
            ["folder=/usr/../usr/./lib/..", "zone=a=b"], command: ["run", "a b"])
        #expect(
            values == [
                "folder": .text("/usr"), "zone": .text("a=b"), "command": .words(["run", "a b"]),
            ])
    }

    @Test(arguments: [
        (["zone"], "'zone' is not of the form name=value"),
        (["zone=a", "zone=b"], "setting 'zone' is given twice"),
        (["zoen=a"], "card 'c' has no setting 'zoen'; it has folder, zone, command"),
        (["folder=/no/such"], "setting 'folder': '/no/such': No such file or directory"),
        (["command=a b"], "'command' is a command; give its words after --"),
    ])
    func `words that do not fit the card are refused`(words: [String], problem: String) {
        let failure = #expect(throws: CommandFailure.self) {
            try SettingWords(card, connection: "x").values(words, command: [])
        }
        #expect(failure?.status == .usage)
        #expect(
            failure?.lines == [
                "corral: cannot connect 'x': \(problem)", "hint: see `corral cards c`",
            ])
    }

    @Test func `a command is refused by a card that takes none`() {
        var card = card
        card.settings.removeLast()
        #expect(throws: CommandFailure.self) {
            try SettingWords(card, connection: "x").values([], command: ["run"])
        }
    }
}
