import Testing

@testable import Wire

/// The bytes of a message written as hexadecimal digits, with spaces where they help.
func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.filter { !$0.isWhitespace }
    return stride(from: 0, to: digits.count, by: 2).map { at in
        let start = digits.index(digits.startIndex, offsetBy: at)
        return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16) ?? 0
    }
}

@Suite struct DNSTests {
    let name = DNSName("www.Example.COM.")

    private func question(_ type: DNSType = .a) throws -> DNSQuestion {
        DNSQuestion(try #require(name), type)
    }

    @Test func `names are lower case and without their final dot`() {
        #expect(name?.text == "www.example.com")
        #expect(name == DNSName("www.example.com"))
        #expect(DNSName("a..b") == nil)
        #expect(DNSName(String(repeating: "a", count: 64)) == nil)
        #expect(DNSName(Array(repeating: "abcdefg", count: 32).joined(separator: ".")) == nil)
    }

    @Test func `bytes that no rule could name do not look like ones that it could`() {
        #expect(DNSName(wire: [4] + Array("a.b\0".utf8)).text == "a?b?")
    }

    @Test func `a question is read as it was written`() throws {
        let query = DNSQuery(id: 0xABCD, try question(.srv))
        #expect(try DNSQuery(decoding: query.encoded()) == query)
    }

    @Test func `options of EDNS are stepped over`() throws {
        var raw = DNSQuery(id: 1, try question()).encoded()
        raw[11] = 1
        raw += bytes("00 0029 04d0 00000000 0000")
        #expect(try DNSQuery(decoding: raw).question == question())
        #expect(throws: Malformed.self) { try DNSQuery(decoding: raw + [0]) }
    }

    @Test(arguments: [
        ("an answer", 2, 0x80), ("a notification", 2, 0x20), ("two questions", 5, 2),
        ("no question", 5, 0), ("answers", 7, 1), ("authorities", 9, 1), ("two options", 11, 2),
        ("a missing option", 11, 1),
    ])
    func `nothing but one question is read`(what: String, at: Int, value: UInt8) throws {
        var raw = DNSQuery(id: 1, try question()).encoded()
        raw[at] = value
        #expect(throws: Malformed.self, "\(what)") { try DNSQuery(decoding: raw) }
    }

    @Test func `every cut of a message is refused`() throws {
        let query = DNSQuery(id: 1, try question()).encoded()
        for count in 0..<query.count {
            #expect(throws: Malformed.self) { try DNSQuery(decoding: Array(query[..<count])) }
        }
        let host = try #require(DNSName("host.example.com"))
        let response = DNSResponse(
            to: DNSQuery(id: 1, try question()), .success,
            [DNSRecord(host, secondsToLive: 1, .mx(preference: 1, host))]
        ).encoded(limit: 512)
        for count in 0..<response.count {
            #expect(throws: Malformed.self) { try DNSResponse(decoding: Array(response[..<count])) }
        }
    }

    @Test func `answers of every kind are read as they were written`() throws {
        let www = try #require(name)
        let host = try #require(DNSName("host.example.com"))
        let records: [DNSData] = [
            .cname(host), .address([1, 2, 3, 4]), .address(Array(0..<16)),
            .mx(preference: 10, host), .srv(priority: 1, weight: 2, port: 443, host),
            .txt([3, 1, 2, 3, 0]),
        ]
        let answers = records.map { DNSRecord(www, secondsToLive: 300, $0) }
        let response = DNSResponse(to: DNSQuery(id: 7, try question()), .success, answers)
        let raw = response.encoded(limit: 512)
        #expect(try DNSResponse(decoding: raw) == response)
        // The name of the question is pointed to from then on.
        #expect(raw.count < 200)
    }

    @Test func `what does not fit is cut off whole and says so`() throws {
        let www = try #require(name)
        let answers = (0..<100).map {
            DNSRecord(www, secondsToLive: 1, .address([1, 2, 3, UInt8($0)]))
        }
        let response = DNSResponse(to: DNSQuery(id: 7, try question()), .success, answers)
        let cut = try DNSResponse(decoding: response.encoded(limit: 512))
        #expect(cut.isTruncated)
        #expect(cut.answers.isEmpty)
        #expect(try DNSResponse(decoding: response.encoded(limit: 65_535)) == response)
    }

    @Test(arguments: [
        ("itself", "c00c"), ("a later one", "c020"), ("each other", "01 61 c00e"),
        ("beyond the end", "ffff"), ("a reserved length", "80"), ("another", "40 61 00"),
    ])
    func `no name points to anything but what came before`(what: String, name: String) {
        let raw = bytes("0001 0100 0001 0000 0000 0000") + bytes(name) + bytes("0001 0001")
        #expect(throws: Malformed.self, "\(what)") { try DNSQuery(decoding: raw) }
    }

    @Test func `a chain of pointers ends at the longest name`() {
        // 200 names, each one label longer than the one before it.
        var raw = bytes("0001 8000 0001 0100 0000 0000 01 61 00 0001 0001")
        var last = 12
        for _ in 0..<200 {
            let at = raw.count
            raw += [1, 98, UInt8(0xC0 | last >> 8), UInt8(truncatingIfNeeded: last)]
            raw += bytes("0001 0001 00000000 0004 01020304")
            last = at
        }
        #expect(throws: Malformed.self) { try DNSResponse(decoding: raw) }
    }

    @Test func `a record that says more or less than its length is refused`() {
        let head = bytes("0001 8000 0001 0001 0000 0000 01 61 00 0001 0001 c00c")
        for record in [
            "0001 0001 00000000 0003 010203", "001c 0001 00000000 0004 01020304",
            "000f 0001 00000000 0005 0001 c00c 00", "0010 0001 00000000 0002 0561",
            "0010 0001 00000000 0000", "0005 0001 00000000 0001 c00c",
        ] {
            #expect(throws: Malformed.self) { try DNSResponse(decoding: head + bytes(record)) }
        }
    }

    @Test func `a life that is negative is none`() throws {
        let raw = bytes(
            "0001 8000 0001 0001 0000 0000 01 61 00 0001 0001 c00c 0001 0001 80000001 0004 01020304"
        )
        #expect(try DNSResponse(decoding: raw).answers.first?.secondsToLive == 0)
    }

    @Test func `random bytes never trap`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var raw = (0..<Int.random(in: 0..<80, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            if raw.count > 12 { raw.replaceSubrange(2..<8, with: [0x80, 0, 0, 1, 0, 1]) }
            // Whether it is refused does not matter here.
            _ = try? DNSResponse(decoding: raw)
            // Nor here.
            _ = try? DNSQuery(decoding: raw)
        }
    }
}
