import Glibc
import Kernel
import NetworkRules
import SupervisorProtocol
import Testing

/// What corrald and the broker tell the gateway, and what becomes of it.
@Suite(.serialized, .enabled(if: Identity.uid == 0, "network namespaces need root"))
struct OrderTests {
    @Test func `new rules end what they deny, and leave what they allow`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["\(Bed.address):8007", "93.184.216.35:8007"]))
        let program = try box.start(
            """
            a, b = dial(8007), dial(8007, "93.184.216.35")
            for s in a, b: s.sendall(b"x"); s.recv(1)
            tell("open"); tell(attempt(lambda: a.recv(1)))
            b.settimeout(0.3); tell(attempt(lambda: b.recv(1)))
            """)
        #expect(try program.line() == "open")
        try bed.change(try rules(["93.184.216.35:8007"]))
        #expect(try program.output() == "ECONNRESET\nTimeoutError('timed out')")
        #expect(try bed.denials() == [Denial(.revoked, place: "test.yaml:20")])
    }

    @Test func `no connection is let through that neither rules allow, however often they change`()
        throws
    {
        let bed = try Bed()
        let one = try rules(["\(Bed.address):8001"]) { $0.connectionsPerSecond = 1_000_000 }
        let other = try rules(["93.184.216.35:8001"]) { $0.connectionsPerSecond = 1_000_000 }
        let box = try bed.open(one)
        let program = try box.start(
            """
            counts = [0, 0, 0]
            def flood(index, address, port):
                while not stop:
                    if echo(port, address=address) == "hello": counts[index] += 1
            stop = False
            targets = (0, PUBLIC, 8001), (1, "93.184.216.35", 8001), (2, PUBLIC, 8002), (2, "10.1.2.3", 8001)
            threads = [threading.Thread(target=flood, args=t) for t in targets]
            for t in threads: t.start()
            tell("flooding"); os.read(4, 1); stop = True
            for t in threads: t.join()
            tell(counts[0] > 0, counts[1] > 0, counts[2])
            """)
        #expect(try program.line() == "flooding")
        for round in 0..<1000 {
            try bed.change(round.isMultiple(of: 2) ? other : one)
            // Nobody else reads what it decides.
            if round.isMultiple(of: 20) { _ = try bed.events() }
        }
        try program.say("stop")
        #expect(try program.output() == "True True 0")
        #expect(try !bed.worldCounts().contains("\"10.1.2.3\""))
    }

    @Test func `resolver files that were replaced are asked for, and used once they came`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["hosts.example:80"]))
        let program = try box.start(
            """
            tell(addresses(ask("hosts.example"))); os.read(4, 16)
            # They are looked at once a second.
            time.sleep(1.2); tell(addresses(ask("hosts.example")))
            os.read(4, 16); tell(addresses(ask("hosts.example")))
            """)
        #expect(try program.line() == "['\(Bed.address)']")
        let (hosts, new) = (bed.directory + "/hosts", bed.directory + "/hosts.new")
        try Files.create(new, mode: 0o644, text: "93.184.216.35 hosts.example\n")
        try Files.rename(new, to: hosts)
        try program.say("ask")
        #expect(try bed.gateway.reply() == .filesChanged)
        // Through its own descriptor it still sees the old one.
        #expect(try program.line() == "['\(Bed.address)']")
        let resolvConf = try Descriptor.open(bed.directory + "/resolv.conf", O_RDONLY)
        let replaced = try Descriptor.open(hosts, O_RDONLY)
        try bed.send(.files, [resolvConf.raw, replaced.raw])
        try program.say("ask")
        #expect(try program.output() == "['93.184.216.35']")
    }

    @Test func `a sandbox without its gateway reaches nobody until there is another`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["\(Bed.address):8001-8007"]))
        let program = try box.start(
            """
            s = dial(8007); s.sendall(b"x"); tell(s.recv(1)); tell(attempt(lambda: s.recv(1)))
            os.read(4, 1); tell(echo(8001))
            """)
        #expect(try program.line() == "b'x'")
        try bed.kill()
        #expect(try program.line() == "ECONNRESET")
        try program.say("go")
        // It waits in the listener's queue, which the test holds as corrald does.
        try bed.restart()
        _ = try bed.open(try rules(["\(Bed.address):8001"]))
        #expect(try program.output() == "hello")
    }

    @Test func `what corrald would never say ends the gateway`() throws {
        let box = try Box()
        let sandbox = EgressSandbox(sandbox: 1, owner: "o", rules: try rules([]))
        let orders: [(EgressOrder?, [CInt])] = [
            (.open(sandbox), []), (.open(sandbox), Array(box.doors.prefix(3))),
            (.open(sandbox), box.doors + [2]), (.hello(version: 99), []), (.listener, []),
            (nil, []),
        ]
        for (order, descriptors) in orders {
            let bed = try Bed()
            let bytes = order?.encoded() ?? [1, 2, 3]
            try Socket.send(bytes, descriptors: descriptors, over: bed.gateway.link.raw)
            #expect(try bed.gateway.ending().status == 1)
        }
    }

    @Test func `it ends when corrald does, and not when the broker does`() throws {
        let bed = try Bed()
        let box = try bed.open(try rules(["\(Bed.address):8001"]))
        try bed.gateway.replaceBroker()
        #expect(try box.run("tell(echo(8001))") == "hello")
        #expect(try bed.endings() == [.finished])
        #expect(try bed.gateway.leave().status == 0)
    }

    @Test func `events that nobody reads are counted, and the count is told`() throws {
        let bed = try Bed()
        let box = try bed.open(
            try rules([]) { $0.connectionsPerSecond = 1_000_000 })
        #expect(try box.run("for n in range(6000): echo(80)\ntell('done')") == "done")
        var told: UInt64 = 0
        for event in try bed.events() {
            switch event {
            case .lost(let count): told += count
            case .decided: told += 1
            case .ended, .flushed, .moved: Issue.record("\(event)")
            }
        }
        #expect(told == 6000)
    }
}
