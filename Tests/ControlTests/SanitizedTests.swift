import Control
import JSONRPC
import Testing

@Suite struct SanitizedTests {
    @Test(arguments: [
        ("plain text, ümlaut, 漢字, ✔️", "plain text, ümlaut, 漢字, ✔️"),
        ("\u{1b}[31mred\u{1b}[0m", "\\x1b[31mred\\x1b[0m"),
        ("\u{1b}]0;title\u{07}", "\\x1b]0;title\\x07"),
        ("\u{9b}2J", "\\x9b2J"),
        ("a\rb\nc\td", "a\\rb\\nc\\td"),
        ("a\r\nb", "a\\r\\nb"),
        ("evil\u{202e}gpj.exe", "evil\\u{202e}gpj.exe"),
        ("z\u{200b}w\u{200d}\u{feff}", "z\\u{200b}w\\u{200d}\\u{feff}"),
        ("tag\u{e0041}", "tag\\u{e0041}"),
        ("line\u{2028}sep", "line\\u{2028}sep"),
        ("filler\u{3164}", "filler\\u{3164}"),
        ("note\u{fff9}", "note\\u{fff9}"),
        ("nul\0del\u{7f}", "nul\\x00del\\x7f"),
        ("private\u{e000}", "private\\u{e000}"),
    ])
    func `what a terminal could act on becomes visible`(text: String, shown: String) {
        #expect(sanitized(text) == shown)
    }

    @Test func `a block keeps its lines and nothing else`() {
        #expect(sanitized("a\n\tb\r\u{1b}c", layout: .block) == "a\n\tb\\r\\x1bc")
    }

    @Test func `text that was made visible stays as it is`() {
        let once = sanitized("\u{1b}\u{202e}")
        #expect(sanitized(once) == once)
    }

    @Test func `JSON made safe to print means the same`() throws {
        let value: JSON = ["a\u{202e}": "\u{1b}[31m\u{9b}\u{e0041}\u{7f} plain"]
        let safe = sanitizedJSON(value.text)
        #expect(safe.unicodeScalars.allSatisfy { $0.isASCII && $0.value >= 0x20 })
        #expect(!safe.contains("\u{7f}"))
        #expect(try JSON.parse(Array(safe.utf8)) == value)
    }
}
