import Kernel
import NetworkRules
import SupervisorProtocol
import Testing

/// What a program in a sandbox meets when it connects, through a real gateway behind its own walls.
@Suite(.serialized, .enabled(if: Identity.uid == 0, "network namespaces need root"))
struct GatewayTests {
    @Test func `a connection reaches what is allowed, in both families, and nothing else`() throws {
        let bed = try Bed()
        let box = try bed.open(
            try rules([
                "\(Bed.address):8001", "[\(Bed.addressV6)]:8001", "93.184.216.0/24:8002-8004",
            ]))
        let heard = try box.run(
            """
            tell(echo(8001)); tell(echo(8001, address=PUBLIC6))
            tell(echo(8001, address="::ffff:" + PUBLIC)); tell(echo(8003, address="93.184.216.35"))
            for address, port in (PUBLIC, 8005), ("93.184.216.35", 8001), ("10.1.2.3", 8001), \\
                ("169.254.169.254", 80), ("::ffff:169.254.169.254", 80), ("127.0.0.1", 8001), \\
                ("::1", 8001), ("fd00::1", 8001), ("93.184.216.1", 8002):
                tell(echo(port, address=address))
            """)
        let lines = heard.split(separator: "\n")
        #expect(lines.prefix(3) == ["hello", "hello", "hello"])
        #expect(
            lines[3].contains("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"))
        #expect(lines.dropFirst(4).allSatisfy { $0 == "ECONNRESET" })
        #expect(lines.count == 13)
        let reasons = try bed.denials().map { ($0.reason, $0.set) }
        #expect(
            reasons.map(\.0) == [
                .notAllowed, .notAllowed, .deniedSet, .deniedSet, .deniedSet, .deniedSet,
                .deniedSet, .deniedSet, .hostAddress,
            ])
        #expect(
            reasons.compactMap(\.1) == [
                .private, .metadata, .metadata, .localhost, .localhost, .private,
            ])
    }

    @Test func `an allowed connection is told with its rule, its bytes and its end`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["\(Bed.address):8001"]), as: 7, owner: "run 5")
        #expect(try box.run("tell(echo(8001, b'12345'))") == "12345")
        let events = try bed.events()
        guard case .decided(let decision) = events.first, case .ended(let ending) = events.last
        else {
            Issue.record("\(events)")
            return
        }
        #expect(events.count == 2)
        #expect(decision.sandbox == 7 && decision.owner == "run 5" && decision.kind == .connect)
        #expect(decision.address == IPAddress(Bed.address) && decision.port == 8001)
        #expect(decision.denial == nil && decision.rule == "\(Bed.address):8001")
        #expect(decision.place == "test.yaml:10")
        #expect(decision.time > 1_600_000_000_000_000)
        #expect(ending.number == decision.number && ending.cause == .finished)
        #expect(ending.sent == 5 && ending.received == 5 && ending.microseconds > 0)
    }

    @Test func `a server that speaks first is heard, and a half-closed stream goes on`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["\(Bed.address):8002-8003"]))
        let heard = try box.run(
            """
            with dial(8002) as s:
                tell(s.recv(100)); s.sendall(b"x"); tell(s.recv(100))
            with dial(8003) as s:
                s.sendall(b"a" * 100000); s.shutdown(socket.SHUT_WR); tell(read_all(s).split(b",")[0])
            """)
        #expect(heard == "b'220 ready\\r\\n'\nb'x'\nb'(100000'")
        #expect(try bed.endings() == [.finished, .finished])
    }

    @Test func `resets and refusals reach the other side as what they are`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["\(Bed.address):1-9000", "93.184.216.99:80"]))
        let heard = try box.run(
            """
            with dial(8004) as s:
                s.sendall(b"x"); tell(attempt(lambda: s.recv(10)))
            tell(echo(7000))
            with dial(8007) as s:
                s.sendall(b"x"); tell(s.recv(1))
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            tell(echo(80, address="93.184.216.99"))
            """)
        #expect(heard == "ECONNRESET\nECONNRESET\nb'x'\nECONNRESET")
        let endings = try bed.events().compactMap { event -> EgressEnding? in
            if case .ended(let ending) = event { ending } else { nil }
        }
        #expect(
            endings.map(\.cause) == [.resetByRemote, .unreachable, .resetByTool, .unreachable])
        #expect(endings.map(\.errno) == [0, 111, 0, 113])
    }

    @Test func `a gigabyte each way arrives whole`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["\(Bed.address):8000-9000"]))
        let heard = try box.run(
            """
            block, digest = os.urandom(1 << 20), hashlib.sha256()
            with dial(8003) as s:
                for n in range(1024):
                    s.sendall(block); digest.update(block)
                s.shutdown(socket.SHUT_WR)
                tell(read_all(s).decode() == str(((1 << 30), digest.hexdigest())))
            total, digest = 0, hashlib.sha256()
            with dial(8005) as s:
                s.sendall(b"%d\\n" % (1 << 30))
                while part := s.recv(1 << 18): total += len(part); digest.update(part)
            time.sleep(0.1)
            with dial(8999) as s: told = read_all(s).decode()
            tell(total, ("digest " + digest.hexdigest()) in told)
            """)
        #expect(heard == "True\n1073741824 True")
    }

    @Test func `a slow reader makes the gateway hold no more than its bound`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["\(Bed.address):8000-9000"]))
        let program = try box.start(
            """
            streams = []
            for n in range(20):
                s = dial(8006); s.setblocking(False); streams.append(s)
            total, still = 0, 0
            while still < 20:
                before = total
                for s in streams:
                    try: total += s.send(b"x" * 65536)
                    except BlockingIOError: pass
                still = still + 1 if total == before else 0
                time.sleep(0.05)
            tell(total); sys.stdin = os.fdopen(4); sys.stdin.readline()
            """)
        let sent = try #require(Int(try program.line()))
        #expect(sent > 1 << 20)
        // Its own memory holds none of it: 20 pipes and a few small buffers.
        let resident = try bed.residentKiB()
        #expect(resident < 64 << 10)
        try program.say("go")
        _ = try program.output()
    }

    @Test func `what is not redirected, or after the end of a sandbox, reaches nobody`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["\(Bed.address):8001-9000"]))
        let program = try box.start(
            """
            s = dial(8007); s.sendall(b"x"); tell(s.recv(1)); tell(attempt(lambda: s.recv(1)))
            """)
        #expect(try program.line() == "b'x'")
        try bed.close()
        #expect(try program.output() == "ECONNRESET")
        #expect(try bed.endings() == [.sandboxEnded])
    }
}

extension Bed {
    /// How connections ended, in order.
    func endings() throws -> [EgressEnding.Cause] {
        try events().compactMap { event in
            if case .ended(let ending) = event { ending.cause } else { nil }
        }
    }

    func residentKiB() throws -> Int {
        let status = try Files.text("/proc/\(pid)/status")
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }
}
