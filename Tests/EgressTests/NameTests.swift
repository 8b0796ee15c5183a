import Kernel
import NetworkRules
import SupervisorProtocol
import Testing

/// Connections that are allowed by name must be for that name, as far as they say it.
@Suite(.serialized, .enabled(if: Identity.uid == 0, "network namespaces need root"))
struct NameTests {
    private static let hello = """
        def vector(n, b): return len(b).to_bytes(n, "big") + b
        def hello(name):
            sni = b"\\0\\0" + vector(2, vector(2, b"\\0" + vector(2, name.encode())))
            body = b"\\3\\3" + b"r" * 32 + b"\\0" + vector(2, b"\\x13\\1") + b"\\1\\0" + vector(2, sni)
            return b"\\x16\\3\\1" + vector(2, b"\\1" + vector(3, body))
        def send(port, data, address=PUBLIC):
            def work():
                with dial(port, address) as s:
                    s.sendall(data); got = b""
                    while len(got) < len(data): 
                        part = s.recv(65536)
                        if not part: break
                        got += part
                    return got == data
            return attempt(work)
        ask("web.example"); ask("alias.example")
        """

    @Test func `SNI and Host that are the name pass, others are cut off unseen`() throws {
        let bed = try Bed()
        let box = try bed.open(
            try rules(["web.example:80,443", "alias.example:443", "never.example:443"]))
        let heard = try box.run(
            Self.hello + """

                for name in "web.example", "WEB.Example", "alias.example", "never.example", "evil.example", "web.example.evil.test":
                    tell(name, send(443, hello(name)))
                for host in "web.example", "web.example:80", "alias.example", "evil.example", PUBLIC:
                    tell(host, send(80, f"GET / HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n".encode()))
                tell(send(80, b"GET http://evil.example/ HTTP/1.1\\r\\nHost: web.example\\r\\n\\r\\n"))
                tell(send(80, b"GET / HTTP/1.1\\r\\nHost: web.example\\r\\nHost: evil.example\\r\\n\\r\\n"))
                tell(send(80, b"GET / HTTP/1.1\\r\\nHost : web.example\\r\\n\\r\\n"))
                tell(send(80, b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n"), send(443, b"\\0\\1\\2"), send(80, b"PING\\r\\n"))
                """)
        #expect(
            heard.split(separator: "\n").map(String.init) == [
                "web.example True", "WEB.Example True", "alias.example True",
                "never.example ECONNRESET", "evil.example ECONNRESET",
                "web.example.evil.test ECONNRESET", "web.example True", "web.example:80 True",
                "alias.example ECONNRESET", "evil.example ECONNRESET",
                "\(Bed.address) ECONNRESET", "ECONNRESET", "ECONNRESET", "ECONNRESET",
                "True True True",
            ])
        let endings = try bed.events().compactMap { event -> EgressEnding? in
            if case .ended(let ending) = event, ending.cause == .denied { ending } else { nil }
        }
        #expect(endings.count == 9)
        #expect(endings.allSatisfy { $0.denial?.reason == .nameMismatch && $0.sent == 0 })
        #expect(endings.allSatisfy { $0.denial?.place == "test.yaml:10" })
    }

    @Test func `first bytes may come in any pieces, and a name cut off is not passed on`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["web.example:8001-8003"]))
        let heard = try box.run(
            Self.hello + """

                def drip(data, size):
                    def work():
                        with dial(8001) as s:
                            for at in range(0, len(data), size):
                                s.sendall(data[at:at + size]); time.sleep(0.002)
                            s.shutdown(socket.SHUT_WR); return read_all(s) == data
                    try: return work()
                    except OSError: return "cut"
                tell(drip(hello("web.example"), 1), drip(hello("evil.example"), 1))
                request = b"GET / HTTP/1.1\\r\\nHost: web.example\\r\\n\\r\\n"
                tell(drip(request, 1), drip(request.replace(b"web", b"evil"), 3))
                tell(drip(hello("web.example")[:40], 40), drip(request[:20], 7))
                with dial(8002) as s: tell(s.recv(100))
                with dial(8003) as s:
                    s.sendall(b"no protocol "); s.sendall(b"x" * 100000); s.shutdown(socket.SHUT_WR)
                    tell(read_all(s).split(b",")[0])
                """)
        #expect(
            heard.split(separator: "\n") == [
                "True cut", "True cut", "cut cut", "b'220 ready\\r\\n'",
                "b'(100012'",
            ])
    }

    @Test func `bytes that name nobody yet are not held for ever, nor believed later`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["web.example:8001"]))
        let heard = try box.run(
            Self.hello + """

                def late(first, rest):
                    def work():
                        with dial(8001) as s:
                            s.sendall(first); got = s.recv(100); s.sendall(rest)
                            s.shutdown(socket.SHUT_WR); return got + read_all(s)
                    return attempt(work)
                results = {}
                cases = {1: (b"GE", b"T / HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n"),
                    2: (b"question", b" more"), 3: (hello("web.example")[:60], b"")}
                def note(n): results[n] = late(*cases[n])
                threads = [threading.Thread(target=note, args=(n,)) for n in cases]
                for t in threads: t.start()
                for t in threads: t.join()
                tell(results[1]); tell(results[2]); tell(results[3])
                """)
        #expect(heard == "ECONNRESET\nb'question more'\nECONNRESET")
    }

    @Test func `where the address itself is allowed, names do not count`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["web.example:80", "\(Bed.address):80"]))
        #expect(
            try box.run(
                Self.hello
                    + "\ntell(send(80, b'GET / HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n'))")
                == "True")
    }
}
