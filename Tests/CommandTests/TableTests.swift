import Testing

@testable import corral

@Suite struct TableTests {
    @Test func `columns line up, wide characters and all`() {
        var table = Table(["NAME", "TEXT"])
        table.add("a", "one")
        table.add("漢字", "two")
        table.add("long", "")
        #expect(
            table.lines(.plain) == ["NAME  TEXT", "a     one", "漢字  two", "long"])
    }

    @Test func `hostile cells are made visible and keep their columns`() {
        var table = Table()
        table.add("\u{1b}[31m", "x")
        table.add("a\nb\u{202e}", "y")
        let lines = table.lines(Screen(width: 80, coloured: true))
        #expect(lines == ["\\x1b[31m      x", "a\\nb\\u{202e}  y"])
    }

    @Test func `the last column is cut to the screen`() {
        var table = Table(indent: 2)
        table.add("name", .init(String(repeating: "x", count: 100)))
        let line = table.lines(Screen(width: 40, coloured: false))[0]
        #expect(line == "  name  " + String(repeating: "x", count: 31) + "…")
        #expect(columns(line) == 40)
        #expect(table.lines(.plain)[0].count == 108)
    }

    @Test func `colours are used only where they are welcome`() {
        var table = Table()
        table.add(.init("a", .bold), .init("b", .red))
        #expect(table.lines(.plain) == ["a  b"])
        #expect(
            table.lines(Screen(width: 80, coloured: true))
                == ["\u{1b}[1ma\u{1b}[0m  \u{1b}[31mb\u{1b}[0m"])
    }

    @Test(arguments: [
        ("abc", 3), ("é", 1), ("e\u{301}", 1), ("漢", 2), ("한", 2), ("👩‍🚀", 2), ("✔️", 2), ("", 0),
        ("ｆ", 2), ("—", 1),
    ])
    func `a text's width is that of its characters`(text: String, width: Int) {
        #expect(columns(text) == width)
    }

    @Test func `a cut never splits a wide character`() {
        #expect(cut("漢字漢字", to: 8) == "漢字漢字")
        #expect(cut("漢字漢字", to: 7) == "漢字漢…")
        #expect(cut("漢字漢字", to: 6) == "漢字…")
    }
}
