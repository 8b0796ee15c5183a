import Glibc

/// What the kernel says of a network namespace, beside what is meant for its kind.
public struct NetworkReading: Sendable, Equatable {
    /// Each device with whether it is up: `lo up`.
    public var devices: [String]
    /// Every default route, and every route by another device than lo: `IPv4 local default`.
    public var routes: [String]
    /// Sockets that listen on ports below 1024: `tcp 127.0.0.1:1`.
    public var listeners: [String]
    /// Every table of rules for packets.
    var tables: [Ruleset]

    /// What one of a kind must have; nil for one without anything up.
    public init(meantFor kind: SandboxNetwork.Kind?) {
        devices = [kind == nil ? "lo down" : "lo up"]
        routes = []
        listeners = []
        tables = []
        guard case .gateway(let own) = kind else { return }
        routes = ["IPv4 local default", "IPv6 local default"]
        listeners = ["tcp", "udp"].flatMap { name in
            ["127.0.0.1", "[::1]"].map { "\(name) \($0):\(SandboxNetwork.port)" }
        }
        tables = [SandboxNetwork.rules(ownLoopback: own)]
    }

    /// Looks into the namespace of a process.
    public init(of pid: Int32) throws(KernelError) {
        let namespace = try Descriptor.open("/proc/\(pid)/ns/net", O_RDONLY)
        self = try NetworkReading(inside: namespace.raw)
        // Until here it must be open.
        _ = consume namespace
    }

    init(inside namespace: CInt) throws(KernelError) {
        self = try NetworkNamespace.inside(namespace) { () throws(KernelError) in
            try NetworkReading()
        }
    }

    private init() throws(KernelError) {
        let link = try Netlink(Netlink.route)
        devices = try Self.devices(link)
        routes = try Self.routes(link)
        listeners = []
        for name in ["tcp", "udp"] {
            listeners += try Self.listeners(name, "", width: 8)
            listeners += try Self.listeners(name, "6", width: 32)
        }
        tables = try Ruleset.read()
    }

    /// The rules in one line, beside `other`'s: how many, or the first place where they differ.
    public func rules(beside other: NetworkReading) -> String {
        let count = tables.reduce(0) { $0 + $1.chains.reduce(0) { $0 + $1.rules.count } }
        guard tables != other.tables else { return tables.isEmpty ? "none" : "\(count), as meant" }
        guard let table = tables.first else { return "none" }
        guard tables.count == 1, let meant = other.tables.first else {
            return "tables: " + tables.map(\.table).joined(separator: ", ")
        }
        let odd = table.chains.first { !meant.chains.contains($0) }
        return "another chain '\(odd?.name ?? "missing")'"
    }

    /// Whether the rules are the same.
    public func hasRules(of other: NetworkReading) -> Bool { tables == other.tables }

    private static func devices(_ link: borrowing Netlink) throws(KernelError) -> [String] {
        var request = NetlinkWriter()
        request.message(Route.getLink, .dump, fixed: [UInt8](repeating: 0, count: 16))
        return try link.dump(request, of: "devices").map { message in
            // struct ifinfomsg: family, type, index, flags, change; IFLA_IFNAME.
            let flags = UInt32(host: ArraySlice(message.fixed(12).suffix(4)))
            let name = message.attributes(after: 16)[type: 3]?.text ?? "?"
            return name + (flags & 1 == 0 ? " down" : " up")
        }
    }

    private static func routes(_ link: borrowing Netlink) throws(KernelError) -> [String] {
        var found: [String] = []
        for (family, name) in [(AF_INET, "IPv4"), (AF_INET6, "IPv6")] {
            var request = NetlinkWriter()
            let fixed = [UInt8(family)] + [UInt8](repeating: 0, count: 11)
            request.message(Route.getRoute, .dump, fixed: fixed)
            for message in try link.dump(request, of: "routes") {
                // struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags.
                let fixed = message.fixed(12)
                let device = message.attributes(after: 12)[type: Route.device]?.value
                let isByLo = device.map { UInt32(host: $0) } == 1
                guard fixed.count == 12, fixed[1] == 0 || !isByLo else { continue }
                let kind = fixed[7] == Route.local ? "local" : "type \(fixed[7])"
                let place = fixed[1] == 0 ? "default" : "route"
                found.append("\(name) \(kind) \(place)" + (isByLo ? "" : " by another device"))
            }
        }
        return found
    }

    /// Of /proc/net/tcp and its like: those in the state of a listener, or of an unconnected
    /// datagram socket, at the ports that tools cannot bind.
    private static func listeners(
        _ name: String, _ suffix: String, width: Int
    ) throws(KernelError) -> [String] {
        let text = try Files.text("/proc/thread-self/net/" + name + suffix, limit: 16 << 20)
        let waiting = name == "tcp" ? "0A" : "07"
        return text.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 4)
            guard fields.count > 3, fields[3] == waiting else { return nil }
            let parts = fields[1].split(separator: ":")
            guard parts.count == 2, parts[0].count == width,
                let port = UInt16(parts[1], radix: 16), port < 1024
            else { return nil }
            let known = [
                "0100007F": "127.0.0.1", "00000000000000000000000001000000": "[::1]",
            ]
            return "\(name) \(known[String(parts[0])] ?? String(parts[0])):\(port)"
        }
    }
}
