import CKernel
import Glibc

/// A network namespace without any device but lo, made ahead for one sandbox.
public final class SandboxNetwork {
    /// What can be reached in it.
    public enum Kind: Sendable, Hashable {
        /// Its own loopback addresses, and nothing else.
        case loopback
        /// The gateway, whatever address is dialled; with `loopback`, its own loopback addresses
        /// are its own.
        case gateway(loopback: Bool)
    }

    /// What can be reached in it.
    public let kind: Kind
    /// The namespace, until somebody takes it.
    private var namespace: Descriptor?
    /// Where the gateway listens in it: TCP of IPv4 and IPv6, UDP of IPv4 and IPv6; none for a
    /// loopback alone.
    public let listeners: Listeners?

    /// The four sockets that a gateway serves a sandbox by.
    public final class Listeners: Sendable {
        let tcp4: Descriptor
        let tcp6: Descriptor
        let udp4: Descriptor
        let udp6: Descriptor

        /// The numbers, in the order in which the gateway takes them.
        public var raw: [CInt] { [tcp4.raw, tcp6.raw, udp4.raw, udp6.raw] }

        fileprivate init() throws(KernelError) {
            tcp4 = try Self.socket(v6: false, stream: true)
            tcp6 = try Self.socket(v6: true, stream: true)
            udp4 = try Self.socket(v6: false, stream: false)
            udp6 = try Self.socket(v6: true, stream: false)
        }

        private static func socket(v6: Bool, stream: Bool) throws(KernelError) -> Descriptor {
            let name = (stream ? "tcp " : "udp ") + (v6 ? "[::1]" : "127.0.0.1")
            return Descriptor(
                owning: try check("bind", "\(name):\(port)") {
                    corral_loopback_socket(v6, stream, port, backlog)
                })
        }
    }

    /// Connections that wait to be accepted: a gateway that is there takes them at once, and while
    /// there is none each may hold a receive buffer of the kernel's.
    private static let backlog: CInt = 128
    /// The gateway's, of TCP and UDP: no process inside can bind it, or any other below 1024.
    static let port: UInt16 = 1
    /// Where nobody listens, nor can: who dials the gateway itself is told so at once.
    private static let nobody: UInt16 = 2
    /// New connections in a second that the kernel keeps track of, before the policy's own limit
    /// is asked: what it remembers of each is not charged to the sandbox.
    private static let newPerSecond: UInt64 = 10_000
    /// How long the kernel remembers connections that are over or never came to be, in seconds, and
    /// those of which one side is done: as long as the gateway wants. With `newPerSecond`, 50,000
    /// at the most, of some 300 bytes each, beside those that are open.
    private static let memory: [(name: String, seconds: Int)] = [
        ("tcp_timeout_syn_sent", 5), ("tcp_timeout_syn_recv", 5), ("tcp_timeout_last_ack", 5),
        ("tcp_timeout_time_wait", 2), ("tcp_timeout_close", 2),
        ("tcp_timeout_close_wait", 432_000), ("udp_timeout", 5), ("udp_timeout_stream", 5),
        ("icmp_timeout", 2), ("icmpv6_timeout", 2),
    ]

    /// Makes a namespace; the calling thread is back in its own afterwards.
    public init(_ kind: Kind) throws(KernelError) {
        let home = try NetworkNamespace.current()
        self.kind = kind
        _ = try check("unshare", "net") { corral_unshare_network() }
        defer { NetworkNamespace.goBack(to: home) }
        namespace = try NetworkNamespace.current()
        try Self.prepareLoopback(routes: kind != .loopback)
        guard case .gateway(let own) = kind else {
            listeners = nil
            return
        }
        for (name, seconds) in Self.memory {
            try Files.write(
                String(seconds), to: "/proc/sys/net/netfilter/nf_conntrack_" + name)
        }
        let (batch, names) = Self.rules(ownLoopback: own).batch()
        try Netlink(Netlink.netfilter).transact(batch, names)
        listeners = try Listeners()
    }

    /// Hands the namespace over, once; it goes with its last holder, sockets included.
    public func takeNamespace() -> Descriptor? { namespace.take() }

    /// The number of a namespace that nobody has taken yet.
    var rawNamespace: CInt? {
        switch namespace {
        case .some(let descriptor): descriptor.raw
        case .none: nil
        }
    }

    private static let loopback4: Ruleset.Match = .to4([127, 0, 0, 0], bits: 8)
    private static let loopback6: Ruleset.Match = .to6([UInt8](repeating: 0, count: 15) + [1])

    /// What becomes of a packet on its way out of a process.
    static func rules(ownLoopback own: Bool) -> Ruleset {
        typealias Rule = Ruleset.Rule
        let nobody4 = Rule(
            .to4([127, 0, 0, 1], bits: 32), .tcp, .port(port), do: .redirect(to: nobody))
        let nobody6 = Rule(loopback6, .tcp, .port(port), do: .redirect(to: nobody))
        // Questions for names go to the gateway whatever address is asked: nobody inside can listen
        // on the port.
        let ownConnections = [
            Rule(loopback4, .tcp, .portIsNot(53), do: .accept),
            Rule(loopback6, .tcp, .portIsNot(53), do: .accept),
        ]
        let ownPackets = [
            Rule(loopback4, .tcp, do: .accept), Rule(loopback6, .tcp, do: .accept),
            // Not the gateway's own: what it gets has been redirected.
            Rule(loopback4, .udp, .portIsNot(port), do: .accept),
            Rule(loopback6, .udp, .portIsNot(port), do: .accept),
        ]
        let redirect = Ruleset.Chain(
            name: "redirect", kind: .nat, priority: -100, policy: .accept,
            rules: [nobody4, nobody6] + (own ? ownConnections : []) + [
                Rule(.tcp, do: .redirect(to: port)),
                Rule(.udp, .port(53), do: .redirect(to: port)),
            ])
        let output = Ruleset.Chain(
            name: "output", kind: .filter, priority: 0, policy: .drop,
            rules: [
                Rule(.established, do: .accept),
                Rule(.new, .over(rate: newPerSecond), do: .drop),
                Rule(.redirected, do: .accept),
                // Errors that belong to a packet that was let through.
                Rule(.icmp, .related, do: .accept), Rule(.icmpv6, .related, do: .accept),
            ] + (own ? ownPackets : []))
        return Ruleset(table: "corral", chains: [redirect, output])
    }

    /// lo comes up, with 127.0.0.1 and ::1; with `routes` every other address is on it too.
    private static func prepareLoopback(routes: Bool) throws(KernelError) {
        var batch = NetlinkWriter()
        let index: UInt32 = 1
        let up: UInt32 = 1
        batch.message(
            Route.newLink, .acknowledge,
            fixed: UInt32(AF_UNSPEC).host + index.host + up.host + up.host)
        for family in routes ? [UInt8(AF_INET), UInt8(AF_INET6)] : [] {
            batch.message(
                Route.newRoute, [.acknowledge, .create, .exclusive],
                fixed: [family, 0, 0, 0, Route.table, Route.byUs, Route.host, Route.local]
                    + UInt32(0).host
            ) { $0.put(Route.device, index.host) }
        }
        try Netlink(Netlink.route).transact(
            batch, ["link 'lo'", "IPv4 route 'local default'", "IPv6 route 'local default'"])
    }
}

/// Numbers of linux/rtnetlink.h.
enum Route {
    static let newLink = 16
    static let getLink = 18
    static let newRoute = 24
    static let getRoute = 26
    /// RT_TABLE_LOCAL, RTPROT_STATIC, RT_SCOPE_HOST, RTN_LOCAL, RTA_OIF.
    static let table: UInt8 = 255
    static let byUs: UInt8 = 4
    static let host: UInt8 = 254
    static let local: UInt8 = 2
    static let device = 4
}

/// Which network namespace the calling thread is in (network_namespaces(7)).
enum NetworkNamespace {
    /// The one that it is in now.
    static func current() throws(KernelError) -> Descriptor {
        try Descriptor.open("/proc/thread-self/ns/net", O_RDONLY)
    }

    /// Goes back; whoever cannot may go on nowhere, since it would take the one for the other.
    static func goBack(to home: borrowing Descriptor) {
        let raw = home.raw
        precondition(corral_enter_network(raw) == 0, "no way back from a network namespace")
    }

    /// Runs `body` in another one.
    static func inside<Result>(
        _ raw: CInt, _ body: () throws(KernelError) -> Result
    ) throws(KernelError) -> Result {
        let home = try current()
        _ = try check("setns", "net") { corral_enter_network(raw) }
        defer { goBack(to: home) }
        return try body()
    }
}
