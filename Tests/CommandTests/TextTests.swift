import Control
import JSONRPC
import Testing

@testable import corral

@Suite struct TextTests {
    private func connection(_ name: String, _ state: Connection.State) -> Connection {
        Connection(
            id: "1", name: name, card: "time", state: state, settings: [:], credentials: [],
            tools: [Tool(name: "\(name)__now", description: "\n  Tells\u{1b}\nthe time")],
            createdAt: "2026-07-28T12:00:00.000Z",
            lastUsed: state == .ready ? "2026-07-28T12:34:56.000Z" : nil, usageCount: 0)
    }

    @Test func `connections are a table, and none is said in words`() {
        let list = [connection("time", .ready), connection("b\u{1b}c", .failed)]
        #expect(
            ConnectionText.list(list, .plain) == [
                "NAME    CARD  STATE   TOOLS  LAST USED",
                "time    time  ready   1      2026-07-28 12:34",
                "b\\x1bc  time  failed  1      never",
            ])
        #expect(ConnectionText.list([], .plain).first?.contains("corral cards") == true)
    }

    @Test func `a new connection is told with its tools`() {
        #expect(
            ConnectionText.summary(connection("time", .ready), .plain) == [
                "connected time (card time): 1 tool", "  time__now    Tells\\x1b",
            ])
    }

    @Test func `tools stand under their connections`() {
        let listing = ToolListing(tools: [
            ["name": "b__x", "description": "X\nmore"], ["name": "a__y", "title": "Y"],
            ["name": "b__z__w"],
        ])
        #expect(
            ToolText.grouped(listing, .plain) == [
                "b", "  b__x     X", "  b__z__w", "", "a", "  a__y  Y",
            ])
        #expect(listing.of("b").tools.count == 2)
        #expect(ToolText.grouped(ToolListing(tools: []), .plain).count == 1)
    }

    @Test func `raw tools show everything and hide nothing`() {
        let listing = ToolListing(tools: [
            [
                "name": "a__\u{200b}x", "description": "one\ntwo\u{202e}",
                "inputSchema": ["k": "\u{9b}"],
            ]
        ])
        #expect(
            ToolText.raw(listing) == [
                "a__\\u{200b}x\n  one\n  two\\u{202e}\n  {\n    \"inputSchema\": {\n"
                    + "      \"k\": \"\\u009b\"\n    }\n  }"
            ])
    }

    @Test func `a tool that does not exist brings the nearest name`() {
        let listing = ToolListing(tools: [["name": "time__now"]])
        let near = listing.unknown("time__nwo")
        #expect(near.status == .notFound)
        #expect(near.lines.last == "hint: did you mean 'time__now'?")
        #expect(listing.unknown("other").lines.last == "hint: see `corral tools`")
    }

    @Test func `a test's steps are a table`() {
        let result = ConnectionsTest.Result(steps: [
            .init(name: "start", outcome: .passed, detail: "pid 1", milliseconds: 812),
            .init(name: "list tools", outcome: .skipped, detail: "", milliseconds: 0),
        ])
        #expect(
            TestText.steps(result, .plain) == [
                "STEP        RESULT   TIME    FOUND", "start       ok       812 ms  pid 1",
                "list tools  skipped",
            ])
    }

    @Test func `cards are listed and explained`() {
        let card = Card(
            name: "git", title: "Git", description: "A repository",
            settings: [
                .init(name: "repository", kind: .directory, required: true, hint: "a path"),
                .init(
                    name: "mode", kind: .choice, required: false, standard: "a",
                    choices: ["a", "b"]),
            ], credentials: [.init(name: "token", required: true, hint: "where")], network: [])
        #expect(
            CardText.list([card], .plain) == [
                "NAME  NEEDS              DESCRIPTION", "git   repository, token  A repository",
            ])
        #expect(
            CardText.explained(card, .plain) == [
                "git: Git. A repository", "", "settings (--set name=value):",
                "  repository  directory  required   a path", "  mode        a|b        default a",
                "", "credentials (--credential name):", "  token  required  where", "",
                "network: none",
            ])
    }

    @Test(arguments: [
        (0, "0 s"), (59, "59 s"), (60, "1 min"), (3_661, "1 h 1 min"), (93_784, "1 d 2 h"),
        (86_405, "1 d 5 s"),
    ])
    func `a duration is told in its two largest units`(seconds: Int, text: String) {
        #expect(StatusText.duration(seconds) == text)
    }

    @Test func `a spinner says nothing where there is no terminal`() {
        var written: [String] = []
        let spinner = Spinner("x", on: .plain) { written.append($0) }
        #expect(spinner.waiting.tick == nil)
        spinner.turn()
        spinner.clear()
        #expect(written.isEmpty)
    }

    @Test func `a spinner fits one line, shows the progress and goes away`() {
        var written: [String] = []
        let spinner = Spinner("connecting", on: Screen(width: 40, coloured: true)) {
            written.append($0)
        }
        let waiting = spinner.waiting
        waiting.tick?()
        waiting.progress("installing \u{1b}[31m" + String(repeating: "x", count: 80))
        waiting.tick?()
        spinner.clear()
        #expect(written.count == 3)
        #expect(written[0].hasSuffix("connecting"))
        #expect(written[1].hasPrefix("\r\u{1b}[2K⠙ installing \\x1b[31mxxx"))
        #expect(columns(String(written[1].dropFirst(5))) == 39)
        #expect(written[2] == "\r\u{1b}[2K")
    }
}
