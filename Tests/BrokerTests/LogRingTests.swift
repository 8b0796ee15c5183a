import Testing

@testable import Broker

@Suite struct LogRingTests {
    /// What a process wrote, as lines in a ring.
    private func ring(_ chunks: [String], ended: Bool = false) -> LogRing {
        var ring = LogRing()
        var lines = LogLines()
        for chunk in chunks { lines.append(Array(chunk.utf8)) { ring.append($0, of: 0) } }
        if ended { lines.finish { ring.append($0, of: 0) } }
        return ring
    }

    @Test func `lines come back whole, oldest first`() {
        let chunks = ["one\ntw", "o\r\nthree"]
        #expect(ring(chunks).tail(10) == ["one", "two"])
        #expect(ring(chunks, ended: true).tail(2) == ["two", "three"])
    }

    @Test func `what could change a terminal is made visible`() {
        let ring = ring(["\u{1B}]0;x\u{7}\u{202E}y\n"])
        #expect(ring.tail(1) == ["\\x1b]0;x\\x07\\u{202e}y"])
    }

    @Test func `lines and bytes are bounded`() {
        var ring = LogRing()
        for number in 0..<10_000 { ring.append("line \(number)", of: 0) }
        #expect(ring.tail(.max).count == Limit.logLines)
        #expect(ring.tail(1) == ["line 9999"])
        var lines = LogLines()
        for _ in 0..<200 {
            lines.append([UInt8](repeating: 0x78, count: 10_000) + [0x0A]) {
                ring.append($0, of: 0)
            }
        }
        #expect(ring.tail(.max).count <= Limit.logBytes / Limit.logLineBytes + 1)
        #expect(ring.tail(1).first?.hasSuffix(" …") == true)
    }

    @Test func `each start has lines of its own`() {
        var ring = LogRing()
        ring.append("Collecting packages", of: ring.start)
        ring.begin()
        #expect(ring.tail(9, of: ring.start) == [])
        ring.append("Traceback", of: 1)
        // The end of an installation's log may come after the start that follows it.
        ring.append("Successfully installed", of: 0)
        ring.append("KeyError", of: 1)
        #expect(ring.tail(9, of: 1) == ["Traceback", "KeyError"])
        #expect(ring.tail(1, of: 1) == ["KeyError"])
        #expect(ring.tail(9).count == 4)
    }

    @Test func `a reader goes on where it was, and learns what it missed`() {
        var ring = LogRing()
        #expect(ring.next == 0)
        for number in 0..<5 { ring.append("\(number)", of: 0) }
        #expect(ring.lines(from: 3, atMost: 9).lines == ["3", "4"])
        #expect(ring.lines(from: 1, atMost: 2).lines == ["1", "2"])
        #expect(ring.lines(from: 5, atMost: 9).lines == [])
        #expect(ring.lines(from: 99, atMost: 9).lines == [])
        for number in 5..<10_000 { ring.append("\(number)", of: 0) }
        #expect(ring.next == 10_000)
        let late = ring.lines(from: 5, atMost: 1)
        #expect(late.missed == 10_000 - Limit.logLines - 5)
        #expect(late.lines == ["\(10_000 - Limit.logLines)"])
    }
}
