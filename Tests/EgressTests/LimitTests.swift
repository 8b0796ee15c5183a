import Kernel
import NetworkRules
import SupervisorProtocol
import Testing

/// What a sandbox may use of the network, and that it is told which limit it met.
@Suite(.serialized, .enabled(if: Identity.uid == 0, "network namespaces need root"))
struct LimitTests {
    @Test func `connections at once and in a second are bounded`() throws {
        let bed = try Bed()
        let box = try bed.open(
            try rules(["\(Bed.address):8007"]) { $0.connections = 3 })
        let work = """
            def hold():
                # A refusal may come as early as at the call.
                try: s = dial(8007)
                except ConnectionError: return None, "ECONNRESET"
                return s, attempt(lambda: (s.sendall(b"x"), s.recv(1))[1])
            held = [hold() for n in range(5)]
            tell([answer for _, answer in held])
            held[0][0].close(); held[0] = None
            for n in range(100):
                s, answer = hold()
                if answer == b"x": break
                time.sleep(0.02)
            tell(answer)
            """
        #expect(
            try box.run(work) == "[b'x', b'x', b'x', 'ECONNRESET', 'ECONNRESET']\nb'x'")
        let denials = try bed.denials()
        #expect(Set(denials) == [Denial(.connections, place: "test.yaml:21")])
        try bed.change(
            try rules(["\(Bed.address):8001"]) { $0.connectionsPerSecond = 2 })
        #expect(try box.run("tell([echo(8001) for n in range(20)].count('hello') < 10)") == "True")
        #expect(try bed.denials().contains(Denial(.connectionRate, place: "test.yaml:22")))
    }

    @Test func `bytes of a call end with the call, and never a byte more`() throws {
        let bed = try Bed()
        let box = try bed.open(
            try rules(["\(Bed.address):8001-8005"]) { $0.bytesPerCall = 100_000 })
        let work = """
            def work():
                got = 0
                with dial(8005) as s:
                    s.sendall(b"1000000\\n")
                    try:
                        while part := s.recv(65536): got += len(part)
                    except OSError as error: return got, errno.errorcode[error.errno]
                    return got, "all"
            tell(*work()); tell(echo(8001))
            """
        #expect(try box.run(work) == "1000000 all\nhello")
        try bed.notify(.callBegan(sandbox: 1))
        _ = try bed.events()
        let heard = try box.run(work).split(separator: "\n")
        let got = try #require(heard[0].split(separator: " ").first.flatMap { Int($0) })
        #expect(got <= 100_000 - 8 && heard[0].hasSuffix("ECONNRESET"))
        #expect(heard[1] == "ECONNRESET")
        let denial = Denial(.bytesPerCall, place: "test.yaml:23")
        #expect(try bed.denials() == [denial, denial])
        try bed.notify(.callEnded(sandbox: 1))
        try bed.notify(.callBegan(sandbox: 1))
        _ = try bed.events()
        #expect(try box.run("tell(echo(8001))") == "hello")
    }

    @Test func `bytes of a day are the owner's, whatever sandbox moves them`() throws {
        let bed = try Bed()
        let allow = try rules(["\(Bed.address):8001"]) { $0.bytesPerDay = 1000 }
        let first = try bed.open(allow, as: 1, owner: "a")
        let second = try bed.open(allow, as: 2, owner: "a")
        let other = try bed.open(allow, as: 3, owner: "b")
        try bed.notify(.spent(sandbox: 3, bytes: 990))
        _ = try bed.events()
        #expect(try first.run("tell(len(echo(8001, b'x' * 300)))") == "300")
        #expect(try second.run("tell(echo(8001, b'x' * 300))") == "ECONNRESET")
        #expect(try other.run("tell(echo(8001, b'x' * 6))") == "ECONNRESET")
        let denials = try bed.denials()
        #expect(Set(denials) == [Denial(.bytesPerDay, place: "test.yaml:24")])
        #expect(denials.count == 2)
    }

    @Test func `a connection that rests, or lasts, too long is reset`() throws {
        let bed = try Bed()
        let box = try bed.open(
            try rules(["\(Bed.address):8001-8007"]) {
                $0.idleMilliseconds = 300
                $0.lifeMilliseconds = 1000
            })
        let heard = try box.run(
            """
            with dial(8007) as s:
                s.sendall(b"x"); tell(s.recv(1)); tell(attempt(lambda: s.recv(1)))
            def busy():
                with dial(8001) as s:
                    for n in range(200): s.sendall(b"x"); s.recv(1); time.sleep(0.02)
            tell(attempt(busy))
            """)
        #expect(heard.split(separator: "\n").prefix(2) == ["b'x'", "ECONNRESET"])
        #expect(heard.hasSuffix("ECONNRESET") || heard.hasSuffix("EPIPE"))
        #expect(try bed.endings() == [.idle, .life])
    }
}
