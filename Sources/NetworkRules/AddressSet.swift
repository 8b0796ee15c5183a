/// The named sets of addresses that `network.deny` knows.
///
/// Each holds, beside the addresses of its ranges, every IPv6 address that carries one of them
/// (`IPAddress.embedded`). An address may be in several sets.
public enum AddressSet: String, Sendable, Hashable, CaseIterable {
    /// 127.0.0.0/8, 0.0.0.0/8, ::1, ::.
    case localhost
    /// RFC 1918, shared address space (RFC 6598), unique and site local IPv6 (RFC 4193, RFC 3879).
    case `private`
    /// 169.254.0.0/16 and fe80::/10 (RFC 3927, RFC 4291).
    case linkLocal = "link_local"
    /// Where cloud providers hand out credentials.
    case metadata
    /// 224.0.0.0/4, ff00::/8, and broadcast.
    case multicast
    /// What IANA's special-purpose registries keep from the public network otherwise (RFC 6890),
    /// and all of IPv6 that is no global unicast address and in no other set.
    case reserved

    /// Whether the set holds an address.
    public func contains(_ address: IPAddress) -> Bool {
        holds(address) || address.embedded.contains(where: holds)
    }

    /// Whether the address itself is in the set, whatever it carries.
    private func holds(_ address: IPAddress) -> Bool {
        let table = address.family == .v4 ? v4 : v6
        if table.contains(where: { $0.contains(address) }) { return true }
        return self == .reserved && address.family == .v6 && Self.isOutside(address)
    }

    /// Whether IPv6 has given the address no use that could be somebody's host.
    private static func isOutside(_ address: IPAddress) -> Bool {
        let others: [AddressSet] = [.localhost, .private, .linkLocal, .multicast]
        return !globalUnicast.contains { $0.contains(address) }
            && !others.contains { set in set.v6.contains { $0.contains(address) } }
    }

    // RFC 4291; and NAT64's well-known prefix (RFC 6052), which leads to public IPv4.
    private static let globalUnicast = ranges("2000::/3", "64:ff9b::/96")

    private var v4: [AddressRange] { Self.tables[self]?.v4 ?? [] }
    private var v6: [AddressRange] { Self.tables[self]?.v6 ?? [] }

    /// The ranges as the documentation lists them, in the form `10.0.0.0/8`.
    public var rangeTexts: [String] { (v4 + v6).map(\.description) }

    private static let tables: [AddressSet: (v4: [AddressRange], v6: [AddressRange])] = [
        .localhost: (ranges("0.0.0.0/8", "127.0.0.0/8"), ranges("::/128", "::1/128")),
        .private: (
            ranges("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"),
            ranges("fc00::/7", "fec0::/10")
        ),
        .linkLocal: (ranges("169.254.0.0/16"), ranges("fe80::/10")),
        .metadata: (
            ranges(
                "100.100.100.200/32",  // Alibaba
                "168.63.129.16/32",  // Azure
                "169.254.0.23/32", "169.254.10.10/32",  // Tencent
                "169.254.42.42/32",  // Scaleway
                "169.254.169.0/24",  // nearly all: .254; AWS: .123 and .253; Rancher: .250
                "169.254.170.0/24",  // AWS: ECS .2, EKS .23
                "192.0.0.192/32"),  // Oracle
            ranges(
                "fd00:42::42/128",  // Scaleway
                "fd00:c1::a9fe:a9fe/128",  // Oracle
                "fd00:ec2::/64",  // AWS: ::254, ::253, ::123, ::23
                "fd20:ce::254/128",  // Google
                "fe80::a9fe:a9fe/128")  // OpenStack
        ),
        .multicast: (ranges("224.0.0.0/4", "255.255.255.255/32"), ranges("ff00::/8")),
        .reserved: (
            ranges(
                "192.0.0.0/24",  // IETF protocol assignments
                "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",  // documentation
                "192.88.99.0/24",  // 6to4 relays, deprecated
                "198.18.0.0/15",  // benchmarking
                "240.0.0.0/4"),
            ranges(
                "::/96", "::ffff:0.0.0.0/96", "::ffff:0:0:0/96",  // IPv4 in IPv6
                "64:ff9b:1::/48",  // NAT64 for local use
                "100::/64", "100:0:0:1::/64",  // discard, dummy
                "2001::/23",  // IETF protocol assignments, with Teredo, benchmarking and ORCHID
                "2001:db8::/32", "3fff::/20",  // documentation
                "2002::/16",  // 6to4, deprecated
                "5f00::/16")  // segment routing
        ),
    ]

    /// The ranges of a table; a mistake in one would be found by the first program that starts.
    private static func ranges(_ texts: String...) -> [AddressRange] {
        texts.map { text in
            guard let range = AddressRange(text) else { preconditionFailure("range \(text)") }
            return range
        }
    }

    /// Names that lead to metadata services. Their addresses are in the set; this only says so
    /// before anything is resolved.
    static let metadataNames: Set<String> = [
        "instance-data", "instance-data.ec2.internal", "metadata", "metadata.goog",
        "metadata.google.internal", "metadata.tencentyun.com",
    ]
}
