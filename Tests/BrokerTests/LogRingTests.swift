import Testing

@testable import Broker

@Suite struct LogRingTests {
    @Test func `lines come back whole, oldest first`() {
        var ring = LogRing()
        ring.append("one\ntw".utf8)
        ring.append("o\r\nthree".utf8)
        #expect(ring.tail(10) == ["one", "two"])
        ring.finish()
        #expect(ring.tail(2) == ["two", "three"])
    }

    @Test func `what could change a terminal is made visible`() {
        var ring = LogRing()
        ring.append("\u{1B}]0;x\u{7}\u{202E}y\n".utf8)
        #expect(ring.tail(1) == ["\\x1b]0;x\\x07\\u{202e}y"])
    }

    @Test func `lines and bytes are bounded`() {
        var ring = LogRing()
        for number in 0..<10_000 { ring.append("line \(number)\n".utf8) }
        #expect(ring.tail(.max).count == Limit.logLines)
        #expect(ring.tail(1) == ["line 9999"])
        for _ in 0..<200 { ring.append([UInt8](repeating: 0x78, count: 10_000) + [0x0A]) }
        #expect(ring.tail(.max).count <= Limit.logBytes / Limit.logLineBytes + 1)
        #expect(ring.tail(1).first?.hasSuffix(" …") == true)
    }
}
