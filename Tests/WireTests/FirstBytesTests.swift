import Testing

@testable import Wire

@Suite struct FirstBytesTests {
    private func read(_ text: String) -> FirstBytes { FirstBytes.read(Array(text.utf8)) }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", ["a.example"]),
        ("GET / HTTP/1.1\r\nhOST:  A.Example:8080 \r\n\r\nbody", ["A.Example"]),
        ("GET / HTTP/1.0\nX: y\nHost: a\n\n", ["a"]),
        ("\r\n\r\nPOST /x HTTP/1.1\r\nHost: a\r\n\r\n", ["a"]),
        ("GET http://b.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n", ["b.example", "a.example"]),
        ("CONNECT evil.example:443 HTTP/1.1\r\n\r\n", ["evil.example"]),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", ["a", "b"]),
        ("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", ["[::1]"]),
    ])
    func `an HTTP request names its hosts`(text: String, names: [String]) {
        #expect(read(text) == .names(names))
        // However it is cut, no part of it is passed on as one that names nobody.
        for count in 1..<text.utf8.count {
            let part = FirstBytes.read(Array(text.utf8.prefix(count)))
            #expect(part != .unnamed && part != .unreadable)
            if text.utf8.prefix(count).contains(UInt8(ascii: "/")), text.hasPrefix("GET / HTTP"),
                count > 12
            {
                #expect(part == .names(names) || part == .needMore(isNaming: true))
            }
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", "GET / HTTP/1.1\r\nX: \rHost: b\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "GET / http/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET b HTTP/1.1\r\nHost: a\r\n\r\n".replacing("b", with: "x://"),
        "GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n",
    ])
    func `a request that could be read in two ways is unreadable`(text: String) {
        #expect(read(text) == .unreadable)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "PING\r\n", "*1\r\n$4\r\nPING\r\n", "GET /\r\n",
        "EHLO here\r\n", "0032git-upload-pack /a.git\0host=b\0", "\u{0}\u{0}\u{0}\u{8}",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n", "AMQP\0\0\u{9}\u{1}",
    ])
    func `other protocols, and requests without a host, name nobody`(text: String) {
        #expect(read(text) == .unnamed)
    }

    @Test func `a head without an end is not waited for for ever`() {
        let head = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        let long = head + String(repeating: "x", count: Limit.firstBytes)
        #expect(read(long) == .unreadable)
        #expect(read(String(repeating: "GET", count: Limit.firstBytes)) == .unnamed)
        #expect(FirstBytes.read([0x16, 3, 1, 0x40, 0]) == .needMore(isNaming: true))
    }

    // MARK: TLS

    private func vector(_ countBytes: Int, _ content: [UInt8]) -> [UInt8] {
        (0..<countBytes).reversed().map { UInt8(truncatingIfNeeded: content.count >> (8 * $0)) }
            + content
    }

    private func name(_ text: String) -> [UInt8] {
        [0, 0] + vector(2, vector(2, [0] + vector(2, Array(text.utf8))))
    }

    private func hello(_ extensions: [UInt8]?) -> [UInt8] {
        let start: [UInt8] = [3, 3] + [UInt8](repeating: 7, count: 32)
        let middle = vector(1, []) + vector(2, [0x13, 1]) + vector(1, [0])
        return [1] + vector(3, start + middle + (extensions.map { vector(2, $0) } ?? []))
    }

    private func records(_ message: [UInt8], of size: Int) -> [UInt8] {
        stride(from: 0, to: message.count, by: size).flatMap { at in
            [22, 3, 1] + vector(2, Array(message[at..<min(at + size, message.count)]))
        }
    }

    @Test(arguments: [1, 5, 40, 16_384])
    func `a TLS client names its server, however it cuts its records`(size: Int) {
        let other: [UInt8] = [0, 43] + vector(2, [2, 3, 4])
        let whole = records(hello(other + name("a.Example")), of: size)
        #expect(FirstBytes.read(whole) == .names(["a.Example"]))
        for count in 2..<whole.count {
            #expect(FirstBytes.read(Array(whole[..<count])) == .needMore(isNaming: true))
        }
    }

    @Test func `a TLS client may name nobody`() {
        #expect(FirstBytes.read(records(hello(nil), of: 500)) == .unnamed)
        #expect(FirstBytes.read(records(hello([]), of: 500)) == .unnamed)
        #expect(FirstBytes.read([0x16, 0x01, 0, 0]) == .unnamed)
    }

    @Test func `a hello that could be read in two ways is unreadable`() {
        let twoNames: [UInt8] = [0, 0] + vector(2, vector(2, [0, 0, 1, 97, 0, 0, 1, 98]))
        let noName: [UInt8] = [0, 0] + vector(2, vector(2, [0, 0, 0]))
        let otherKind: [UInt8] = [0, 0] + vector(2, vector(2, [1, 0, 1, 97]))
        let control: [UInt8] = [0, 0] + vector(2, vector(2, [0, 0, 2, 97, 0]))
        for extensions in [name("a") + name("b"), twoNames, noName, otherKind, control, [0, 0, 0]] {
            #expect(FirstBytes.read(records(hello(extensions), of: 500)) == .unreadable)
        }
        // Another message first, and an alert between two records.
        #expect(FirstBytes.read(records([2] + vector(3, []), of: 500)) == .unreadable)
        let cut = records(hello(name("a")), of: 30)
        #expect(
            FirstBytes.read(Array(cut[..<35]) + [21, 3, 1, 0, 2, 1, 0] + cut[35...]) == .unreadable)
    }

    @Test func `random hellos never trap`() {
        let good = records(hello(name("a.example")), of: 40)
        for _ in 0..<20_000 {
            var bad = good
            bad[.random(in: 0..<bad.count)] = .random(in: 0...255)
            bad[.random(in: 0..<bad.count)] = .random(in: 0...255)
            _ = FirstBytes.read(bad)
        }
    }
}
