import Configuration
import Glibc
import NetworkRules
import SupervisorProtocol
import Testing

@testable import Kernel
@testable import Supervisor

/// What the supervisor tells a gateway, with the test at the other end of the link.
@Suite(.enabled(if: geteuid() == 0, "needs root: network namespaces are made"))
struct GatewayTests {
    /// A gateway's end of the link.
    private final class Other {
        private let link: Descriptor

        init(_ link: consuming Descriptor) { self.link = consume link }

        /// What has been told since the last time, with how many descriptors each carried.
        func told() throws -> [(order: EgressOrder, descriptors: Int)] {
            var all: [(order: EgressOrder, descriptors: Int)] = []
            while let datagram = try Socket.receive(
                limit: SupervisorProtocol.Limit.messageBytes, descriptors: 8, over: link.raw),
                !datagram.bytes.isEmpty
            {
                for number in datagram.descriptors { _ = Descriptor(owning: number) }
                all.append((try EgressOrder(decoding: datagram.bytes), datagram.descriptors.count))
            }
            return all
        }
    }

    private func gateway() -> Gateway {
        Gateway(
            seat: ProcessSeat(account: Account(name: "1", uid: 1, gid: 1), filter: []))
    }

    private func link() throws -> (UnprivilegedProcess, Other) {
        let pair = try Socket.seqpacketPair()
        try pair.theirs.setNonblocking(true)
        let other = Other(try pair.theirs.duplicate())
        let ours = pair.keepOurs()
        try ours.setNonblocking(true)
        return (UnprivilegedProcess(link: ours), other)
    }

    private func grant(_ texts: [String]) throws -> NetworkGrant {
        let allow = try texts.map {
            EgressRules.Allow(
                destination: try Destination($0), allowsPrivate: false, text: $0, place: "p.yaml:1")
        }
        let limits = EgressRules.Limits(
            connections: 1, connectionsPerSecond: 1, bytesPerCall: nil, bytesPerDay: nil,
            idleMilliseconds: 1, lifeMilliseconds: nil)
        return NetworkGrant(
            kind: .gateway(loopback: false), owner: "run root", source: .card("card"),
            rules: EgressRules(allow: allow, deny: [], limits: limits))
    }

    @Test func `every gateway is told hello, then every sandbox with its sockets`() throws {
        let gateway = gateway()
        let network = try SandboxNetwork(.gateway(loopback: false))
        let listeners = try #require(network.listeners)
        let grant = try grant(["example.com:443"])
        // Before there is any: told when there is one.
        try gateway.open(7, grant, listeners)
        let opening = EgressOrder.open(
            EgressSandbox(sandbox: 7, owner: "run root", rules: grant.rules))
        for _ in 0..<2 {
            let (process, other) = try link()
            try gateway.begin(process)
            let told = try other.told()
            #expect(
                told.map(\.order) == [
                    .hello(version: SupervisorProtocol.Limit.version), opening,
                ])
            #expect(told.map(\.descriptors) == [0, 4])
            gateway.end()
        }
        let (process, other) = try link()
        try gateway.begin(process)
        _ = try other.told()
        try gateway.close(7)
        try gateway.close(7)
        #expect(try other.told().map(\.order) == [.close(sandbox: 7)])
        #expect(gateway.sandboxes.isEmpty)
    }

    @Test func `only rules that changed are told, and hold when the gateway says so`() throws {
        let gateway = gateway()
        let network = try SandboxNetwork(.gateway(loopback: false))
        let listeners = try #require(network.listeners)
        let same = try grant(["example.com:443"])
        let other = try grant(["example.com:80"])
        try gateway.open(1, same, listeners)
        try gateway.open(2, other, listeners)
        let (process, end) = try link()
        try gateway.begin(process)
        _ = try end.told()
        try gateway.renew { _ in same.rules }
        #expect(
            try end.told().map(\.order) == [.rules(serial: 1, sandbox: 2, same.rules)])
        #expect(gateway.pending == [1])
        gateway.applied(1)
        #expect(gateway.pending.isEmpty)
        // One that dies with rules on their way leaves nothing to wait for: the next has them.
        try gateway.renew { _ in other.rules }
        #expect(gateway.pending == [2, 3])
        gateway.end()
        #expect(gateway.pending.isEmpty)
        let (next, nextEnd) = try link()
        try gateway.begin(next)
        let rules = try nextEnd.told().compactMap { told -> EgressRules? in
            if case .open(let sandbox) = told.order { sandbox.rules } else { nil }
        }
        #expect(rules == [other.rules, other.rules])
    }

    @Test func `rules that no message holds close their sandbox, and nobody else's`() throws {
        let gateway = gateway()
        let network = try SandboxNetwork(.gateway(loopback: false))
        let listeners = try #require(network.listeners)
        let fit = try grant(["example.com:443"])
        var long = fit.rules
        long.allow = Array(repeating: long.allow[0], count: 500)
        for index in long.allow.indices {
            long.allow[index].text = String(repeating: "x", count: 300)
        }
        let (process, other) = try link()
        try gateway.begin(process)
        try gateway.open(1, fit, listeners)
        try gateway.open(2, fit, listeners)
        _ = try other.told()
        var first = true
        try gateway.renew { _ in
            defer { first = false }
            return first ? long : fit.rules
        }
        #expect(try other.told().map(\.order) == [.close(sandbox: 1)])
        #expect(gateway.pending.isEmpty)
    }

    @Test func `one that does not read is told the rest later, in order, and only so much`() throws
    {
        let gateway = gateway()
        let network = try SandboxNetwork(.gateway(loopback: false))
        let listeners = try #require(network.listeners)
        let grant = try grant((0..<200).map { "host-\($0).example.com:443" })
        let (process, other) = try link()
        try gateway.begin(process)
        for id in 1...100 { try gateway.open(UInt64(id), grant, listeners) }
        #expect(gateway.isBehind)
        var told: [UInt64] = []
        for _ in 0..<200 where told.count < 100 {
            for one in try other.told() {
                if case .open(let sandbox) = one.order { told.append(sandbox.sandbox) }
            }
            try gateway.deliver()
        }
        #expect(told == Array(1...100))
        #expect(!gateway.isBehind)
        #expect(throws: KernelError.self) {
            for _ in 0...Limit.letters { try gateway.renew { _ in grant.rules.flipped } }
        }
    }
}

extension EgressRules {
    /// Others every time.
    fileprivate var flipped: EgressRules {
        var rules = self
        rules.limits.connections = Int.random(in: 2...1_000_000_000)
        return rules
    }
}
