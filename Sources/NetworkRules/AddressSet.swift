/// The named sets of addresses that `network.deny` knows. Each holds, beside the addresses
/// themselves, every IPv6 address that carries one of them inside.
public enum AddressSet: String, Sendable, Hashable, CaseIterable {
    /// 127.0.0.0/8, 0.0.0.0/8, ::1, ::.
    case localhost
    /// RFC 1918, shared address space (RFC 6598), unique local IPv6 (RFC 4193).
    case `private`
    /// 169.254.0.0/16 and fe80::/10 (RFC 3927, RFC 4291).
    case linkLocal = "link_local"
    /// Where cloud providers hand out credentials.
    case metadata
    /// 224.0.0.0/4, ff00::/8, and broadcast.
    case multicast
    /// What IANA's special-purpose registries keep from the public network otherwise (RFC 6890).
    case reserved

    /// Whether the set holds an address.
    public func contains(_ address: IPAddress) -> Bool { true }
}
