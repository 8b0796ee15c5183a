import JSONRPC
import Testing

@Suite struct LineFramerTests {
    /// All lines that come out of a framer, `nil` for one that was too long.
    private func lines(_ framer: inout LineFramer) -> [String?] {
        var out: [String?] = []
        while let line = framer.next() {
            switch line {
            case .line(let range): out.append(String(decoding: framer.bytes[range], as: UTF8.self))
            case .tooLong: out.append(nil)
            }
        }
        return out
    }

    @Test func `lines come out whole whatever the chunks`() {
        let text =
            "first\nsecond line that is longer than sixteen bytes\r\n\n \t\r\n\r\nthird\nrest"
        let expected = ["first", "second line that is longer than sixteen bytes", "third"]
        for size in 1...text.utf8.count {
            var framer = LineFramer(limit: 100)
            var got: [String?] = []
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                framer.append(bytes[start..<min(start + size, bytes.count)])
                got += lines(&framer)
            }
            #expect(got == expected)
            #expect(framer.pendingBytes == 4)
        }
    }

    @Test func `a line at the limit passes and one beyond is reported once`() {
        var framer = LineFramer(limit: 4)
        framer.append(Array("1234\r\n12345\nab\n".utf8))
        #expect(lines(&framer) == ["1234", nil, "ab"])
    }

    @Test func `a line without an end is reported early and its bytes are dropped`() {
        var framer = LineFramer(limit: 8)
        var got: [String?] = []
        for _ in 0..<1_000 {
            framer.append(Array("0123456789".utf8))
            got += lines(&framer)
            #expect(framer.pendingBytes <= 20)
        }
        #expect(got == [nil])
        framer.append(Array("end\nnext\n".utf8))
        #expect(lines(&framer) == ["next"])
    }

    @Test func `separators of Unicode do not end a line`() {
        var framer = LineFramer()
        framer.append(Array("a\u{2028}b\u{85}c\n".utf8))
        #expect(lines(&framer) == ["a\u{2028}b\u{85}c"])
    }
}
