import Glibc
import Kernel
import NetworkRules
import SupervisorProtocol
import Testing

/// A real gateway between sandboxes' network namespaces and a world of servers, all made for one
/// test and gone with it.
final class Bed {
    /// Where the world's servers are, and one more address of theirs.
    static let address = "93.184.216.34"
    static let addressV6 = "2606:2800:220:1::34"

    let name: String
    let directory: String
    private let world: Child
    private(set) var gateway: RunningGateway
    private var serial: UInt64 = 0
    private(set) var boxes: [UInt64: Box] = [:]

    init() throws {
        let random = try System.random(3).map { String($0, radix: 16) }.joined()
        name = "corral-test-egress-" + random
        directory = "/tmp/" + name
        try Files.makeDirectory(directory, mode: 0o755)
        try Files.create(
            directory + "/resolv.conf", mode: 0o644,
            text: "nameserver \(Self.address)\noptions timeout:1 attempts:2\n")
        try Files.create(
            directory + "/hosts", mode: 0o644,
            text: "\(Self.address) hosts.example\n10.1.2.3 lan.example\n")
        try Self.makeWorld(name)
        world = try Self.startWorld(name)
        gateway = try RunningGateway(name, directory)
    }

    deinit {
        // What cannot be removed here is found by the look at what tests leave behind.
        try? gateway.child.end()
        // The same.
        try? world.end()
        boxes = [:]
        for end in ["w", "g"] { Command.runAnyhow("ip", "netns", "del", "\(name)-\(end)") }
        // The same.
        try? Files.removeTree(directory)
    }

    /// The gateway's process, for measuring.
    var pid: Int32 { gateway.child.pid }

    // MARK: what corrald does

    /// A sandbox with these rules.
    func open(
        _ rules: EgressRules, as number: UInt64 = 1, owner: String = "run 0"
    ) throws -> Box {
        let box = try boxes[number] ?? Box()
        boxes[number] = box
        try send(
            .open(EgressSandbox(sandbox: number, owner: owner, rules: rules)), box.doors)
        return box
    }

    /// Other rules; returns when they hold.
    func change(_ rules: EgressRules, of number: UInt64 = 1) throws {
        serial += 1
        try send(.rules(serial: serial, sandbox: number, rules))
        #expect(try gateway.reply() == .applied(serial: serial))
    }

    func close(_ number: UInt64 = 1) throws { try send(.close(sandbox: number)) }

    func send(_ order: EgressOrder, _ descriptors: [CInt] = []) throws {
        try Socket.send(
            try #require(order.encoded()), descriptors: descriptors, over: gateway.link.raw)
    }

    /// Kills the gateway; the sandboxes' sockets stay with this process.
    func kill() throws { try gateway.child.end() }

    /// Starts another one and tells it of nothing.
    func restart() throws { gateway = try RunningGateway(name, directory) }

    // MARK: what the broker does

    func notify(_ notice: EgressNotice) throws {
        try Socket.send(try #require(notice.encoded()), over: gateway.broker.raw)
    }

    /// Everything that was decided until now.
    func events() throws -> [EgressEvent] {
        serial += 1
        try notify(.flush(serial: serial))
        var events: [EgressEvent] = []
        while true {
            let datagram = try Socket.datagram(over: gateway.broker.raw)
            let event = try EgressEvent(decoding: datagram)
            if event == .flushed(serial: serial) { return events }
            events.append(event)
        }
    }

    /// Every denial until now, of decisions and of endings, in order.
    func denials() throws -> [Denial] {
        try events().compactMap { event in
            switch event {
            case .decided(let decision): decision.denial
            case .ended(let ending): ending.denial
            case .lost, .flushed, .moved: nil
            }
        }
    }
}

extension Bed {
    /// Two namespaces, the gateway's and the servers', with a veth pair between them.
    private static func makeWorld(_ name: String) throws {
        let (own, far) = ("\(name)-g", "\(name)-w")
        for space in [own, far] {
            try Command.run("ip", "netns", "add", space)
            try Command.run("ip", "-n", space, "link", "set", "lo", "up")
        }
        let link = "v" + name.suffix(6)
        try Command.run(
            "ip", "link", "add", link + "a", "netns", own, "type", "veth", "peer", "name",
            link + "b", "netns", far)
        let places = [
            (own, link + "a", ["93.184.216.1/24", "2606:2800:220:1::1/64"]),
            (far, link + "b", worldAddresses),
        ]
        for (space, link, addresses) in places {
            for address in addresses {
                let words = ["ip", "-n", space, "addr", "add", address, "dev", link]
                try Command.run(address.contains(":") ? words + ["nodad"] : words)
            }
            try Command.run("ip", "-n", space, "link", "set", link, "up")
        }
        try Command.run("ip", "-n", own, "route", "add", "default", "via", address)
        try Command.run("ip", "-n", own, "-6", "route", "add", "default", "via", addressV6)
    }

    private static let worldAddresses = [
        "\(address)/24", "93.184.216.35/24", "\(addressV6)/64", "10.1.2.3/32", "192.168.1.1/32",
        "169.254.169.254/32", "fd00::1/128",
    ]

    private static func startWorld(_ name: String) throws -> Child {
        let script = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let ready = try Pipe()
        let child = try Child.spawn(
            Command.ip,
            arguments: [
                "netns", "exec", "\(name)-w", "/usr/bin/python3", "/\(script)/Servers/world.py",
            ], environment: ["PATH=/usr/bin:/bin"], descriptors: [ready.write.raw])
        let read = ready.split { read, _ in read }
        #expect(try read.read(limit: 5) == Array("ready".utf8))
        return child
    }
}

/// A gateway's process with the other ends of its two sockets.
final class RunningGateway {
    let child: Child
    private(set) var link: Descriptor
    private(set) var broker: Descriptor

    init(_ name: String, _ directory: String) throws {
        let pair = try Socket.seqpacketPair()
        let filter = try Command.gatewayFilter()
        let program = try System.executable().split(separator: "/").dropLast()
        child = try Child.spawn(
            Command.ip,
            arguments: [
                "netns", "exec", "\(name)-g", "/usr/bin/setpriv", "--reuid", "65534", "--regid",
                "65534", "--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all",
                "/\(program.joined(separator: "/"))/corral-egress", "--supervisor-fd", "3",
                "--filter-fd", "4", "--resolv-conf", directory + "/resolv.conf", "--hosts",
                directory + "/hosts",
            ], environment: ["PATH=/usr/bin:/bin"],
            descriptors: [pair.theirs.raw, filter.raw])
        link = pair.keepOurs()
        try Socket.setReceiveTimeout(of: link.raw, milliseconds: 30_000)
        let hello = EgressOrder.hello(version: SupervisorProtocol.Limit.version)
        try Socket.send(hello.encoded() ?? [], over: link.raw)
        broker = try Self.introduceBroker(over: link.raw)
        #expect(try reply() == .hello(version: SupervisorProtocol.Limit.version))
    }

    func reply() throws -> EgressReply {
        try EgressReply(decoding: try Socket.datagram(over: link.raw))
    }

    /// A new way to the broker, instead of the one before.
    func replaceBroker() throws { broker = try Self.introduceBroker(over: link.raw) }

    private static func introduceBroker(over link: CInt) throws -> Descriptor {
        let pair = try Socket.seqpacketPair()
        try Socket.send(
            EgressOrder.listener.encoded() ?? [], descriptors: [pair.theirs.raw], over: link)
        let broker = pair.keepOurs()
        try Socket.setReceiveTimeout(of: broker.raw, milliseconds: 30_000)
        return broker
    }

    /// Ends corrald's side and waits for its own end.
    func leave() throws -> Child.Ending {
        link = try Descriptor.open("/dev/null", O_RDONLY)
        return try ending()
    }

    /// How it ended; waits until it did.
    func ending() throws -> Child.Ending {
        _ = try poll([Interest(child.pidfd.raw, readable: true)], milliseconds: 10_000)
        return try #require(try child.reap())
    }
}

extension Socket {
    struct NothingCame: Error {}

    /// One datagram, waited for.
    static func datagram(over raw: CInt) throws -> [UInt8] {
        guard let datagram = try receive(limit: 4096, descriptors: 0, over: raw) else {
            throw NothingCame()
        }
        return datagram.bytes
    }
}
