import Kernel
import NetworkRules
import SupervisorProtocol
import Testing

/// What a program in a sandbox hears when it asks for names.
@Suite(.serialized, .enabled(if: Identity.uid == 0, "network namespaces need root"))
struct ResolverTests {
    @Test func `names that an entry matches are answered, over UDP and TCP, whoever is asked`()
        throws
    {
        let bed = try Bed()
        let box = try bed.open(try rules(["web.example:80", "*.sub.example:80"]))
        let heard = try box.run(
            """
            for server in "8.8.8.8", "127.0.0.53", "2001:4860:4860::8888", "::1":
                tell(addresses(ask("web.example", server=server)), addresses(ask_stream("WEB.example", server=server)))
            tell(addresses(ask("web.example", 28)), addresses(ask("a.b.sub.example")))
            for name in "sub.example", "evil.example", "web.example.evil.test", "a\\0b.sub.example", "x y.sub.example":
                m = ask(name); tell(status(m), len(records(m)))
            """)
        let one = "['\(Bed.address)'] ['\(Bed.address)']"
        #expect(
            heard.split(separator: "\n").map(String.init) == [one, one, one, one]
                + ["['\(Bed.addressV6)'] ['\(Bed.address)']"]
                + Array(repeating: "3 0", count: 5))
        #expect(try bed.denials().map(\.reason) == Array(repeating: .notAllowed, count: 5))
    }

    @Test func `kinds that are not passed on are answered empty, and zones are refused`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["web.example:80"]))
        let heard = try box.run(
            """
            for kind in 16, 15, 33, 5, 65, 64, 2, 6, 12, 10, 255, 252, 251:
                m = ask("web.example", kind); tell(kind, status(m), [k for k, _, _ in records(m)])
            tell(status(ask("", raw=question("web.example")[:-2] + b"\\0\\3")))
            """)
        #expect(
            heard.split(separator: "\n") == [
                "16 0 [16]", "15 0 [15]", "33 0 [33]", "5 0 [5]", "65 0 []", "64 0 []", "2 0 []",
                "6 0 []", "12 0 []", "10 0 []", "255 5 []", "252 5 []", "251 5 []", "5",
            ])
        #expect(try bed.denials().map(\.reason) == Array(repeating: .badQuestion, count: 4))
    }

    @Test func `questions that are none are refused, or left unanswered`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["web.example:80"]))
        let heard = try box.run(
            """
            good = question("web.example")
            tell(status(ask("", raw=good + b"x")), status(ask("", raw=good[:12] + b"\\xc0\\x0c\\0\\1\\0\\1")))
            tell(status(ask("", raw=good[:4] + b"\\0\\2" + good[6:])), status(ask("", raw=b"\\0" * 12)))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(0.3); s.connect(("8.8.8.8", 53))
                for raw in b"", b"x", good[:2] + b"\\x81" + good[3:]: s.send(raw)
                tell(attempt(lambda: s.recv(512)))
            tell(status(ask("web.example")))
            """)
        #expect(heard == "1 1\n1 1\nTimeoutError('timed out')\n0")
    }

    @Test func `private addresses are dropped from answers, and that is told`() throws {
        let bed = try Bed()
        let box = try bed.open(
            try rules(["mixed.example:80", "inside.example:80", "lan.example:80"]))
        let heard = try box.run(
            """
            for name in "mixed.example", "inside.example", "lan.example":
                m = ask(name); tell(status(m), addresses(m))
            tell(echo(80, address="10.1.2.3"))
            """)
        #expect(heard == "0 ['\(Bed.address)']\n0 []\n0 []\nECONNRESET")
        let denials = try bed.denials()
        #expect(denials.map(\.set) == [.private, .private, .private, .private])
        let bed2 = try Bed()
        let lifted = try bed2.open(try rules(["lan.example:80"], privately: true))
        #expect(
            try lifted.run("tell(addresses(ask('lan.example')), echo(80, address='10.1.2.3'))")
                == "['10.1.2.3'] hello")
    }

    @Test func `an address is allowed by name once it was given out for it, and only there`() throws
    {
        let bed = try Bed()
        let first = try bed.open(try rules(["web.example:8001"]))
        let second = try bed.open(try rules(["web.example:8001"]), as: 2)
        #expect(try first.run("tell(echo(8001))") == "ECONNRESET")
        #expect(
            try first.run("ask('web.example'); tell(echo(8001), echo(8002))") == "hello ECONNRESET")
        #expect(try second.run("tell(echo(8001))") == "ECONNRESET")
        let names = try bed.events().compactMap { event -> String? in
            if case .decided(let decision) = event, decision.kind == .connect,
                decision.denial == nil
            {
                "\(decision.name) \(decision.rule)"
            } else {
                nil
            }
        }
        #expect(names == ["web.example web.example:8001"])
    }

    @Test func `a resolver that flips between public and private never leads inside`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["flip.example:8001", "*.flip.example:8001"]))
        let heard = try box.run(
            """
            found, reached = set(), 0
            with dial(53) as stream:
                def ask_again(name):
                    m = question(name); stream.sendall(struct.pack(">H", len(m)) + m)
                    n = struct.unpack(">H", stream.recv(2))[0]; m = b""
                    while len(m) < n: m += stream.recv(n - len(m))
                    return m
                for n in range(\(Self.flips)):
                    found.update(addresses(ask_again("flip.example")))
                    if n % 100 == 0:
                        tell_inside = echo(8001, address="10.1.2.3"); reached += tell_inside != "ECONNRESET"
                    time.sleep(0.0095)
            tell(found, reached, echo(8001))
            with dial(8001) as s: pass
            """)
        #expect(heard == "{'\(Bed.address)'} 0 hello")
        #expect(try !bed.worldCounts().contains("\"10.1.2.3\""))
        let dropped = try bed.denials().filter { $0.reason == .deniedSet }.count
        #expect(dropped > Self.flips / 3)
    }

    /// A hundred a second are answered.
    private static let flips = 500

    @Test func `aliases are followed, lives are the shortest, and what is big comes by TCP`() throws
    {
        let bed = try Bed()
        let box = try bed.open(
            try rules(["alias.example:80", "big.example:80", "many.example:80", "hosts.example:80"])
        )
        let heard = try box.run(
            """
            m = ask("alias.example"); tell([(k, life) for k, life, _ in records(m)], addresses(m))
            tell(len(addresses(ask_stream("big.example"))), ask("big.example")[2] & 2)
            tell(ask("many.example")[2] & 2, len(addresses(ask_stream("many.example"))))
            tell(addresses(ask("hosts.example")), status(ask("hosts.example", 16)))
            tell(echo(80, address=PUBLIC))
            """)
        #expect(
            heard.split(separator: "\n") == [
                "[(5, 20), (1, 20)] ['\(Bed.address)']", "64 2", "2 60", "['\(Bed.address)'] 0",
                "hello",
            ])
    }

    @Test func `failures of name servers are told as what they are, and end in time`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["*.example:80"]))
        let heard = try box.run(
            """
            tell(status(ask("nothing.example")), status(ask("broken.example")), status(ask("silent.example")))
            """)
        #expect(heard == "3 2 2")
    }

    @Test func `a change of the host's name servers is seen`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["late.example:80", "web.example:80"]))
        #expect(try box.run("tell(addresses(ask('late.example')))") == "['\(Bed.address)']")
        let hosts = try Descriptor.open(bed.directory + "/hosts", 0o2001)
        try hosts.write(Array("93.184.216.35 late.example\n".utf8))
        #expect(
            try box.run(
                """
                for n in range(100):
                    found = addresses(ask("late.example"))
                    if found != [PUBLIC]: break
                    time.sleep(0.05)
                tell(found)
                """) == "['93.184.216.35']")
    }

    @Test func `a flood of questions is refused, and costs one event a second`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["web.example:80"]))
        let heard = try box.run(
            """
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(5); s.connect(("8.8.8.8", 53)); found = []
                for n in range(2000): s.send(question("web.example")); found.append(status(s.recv(512)))
            tell(set(found) == {0, 5}, found.count(0) >= 100)
            """)
        #expect(heard == "True True")
        let denials = try bed.denials()
        #expect(!denials.isEmpty && denials.count < 200)
        #expect(Set(denials.map(\.reason)) == [.connectionRate])
    }
}

extension Bed {
    /// How many connections each address of the world had, as JSON.
    func worldCounts() throws -> String {
        let box = try open(try rules(["\(Bed.address):8999"]), as: 999)
        return try box.run("with dial(8999) as s: tell(read_all(s).decode())")
    }
}
