/// What one entry of `network.allow` names: hosts, and the TCP ports on them.
public struct Destination: Sendable, Hashable {
    /// The hosts.
    public enum Host: Sendable, Hashable {
        /// One DNS name, as `HostName` normalises it.
        case name(HostName)
        /// Every name that has one or more labels before this one: `*.example.com`.
        case subdomains(of: HostName)
        /// Addresses.
        case range(AddressRange)
        /// The addresses of this host's own interfaces: `host_addresses`.
        case hostAddresses
    }
    /// The hosts.
    public var host: Host
    /// The TCP ports, each range not empty, in the order they were written.
    public var ports: [ClosedRange<UInt16>]

    /// Names hosts and ports.
    public init(host: Host, ports: [ClosedRange<UInt16>]) {
        self.host = host
        self.ports = ports
    }
}

/// A DNS name in the one form that is compared: letters, digits, `-` and `_` in labels of 1 to 63
/// bytes, lower case, no final dot, at most 253 bytes (RFC 1035 section 2.3.4).
public struct HostName: Sendable, Hashable {
    /// The name.
    public let text: String

    /// Nil when it is no such name. A final dot is taken away and upper case made lower, as a
    /// resolver would; nothing else is repaired, and what a resolver could read as an address
    /// (its last label begins with a digit) is no name.
    public init?(_ text: String) {
        var text = text
        if text.utf8.last == UInt8(ascii: ".") { text.removeLast() }
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): bytes.append(byte | 0x20)
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                bytes.append(byte)
            default: return nil
            }
        }
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let areFit = labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
                && label.last != UInt8(ascii: "-")
        }
        guard areFit, bytes.count <= 253, let first = labels.last?.first,
            !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
        else { return nil }
        self.text = String(decoding: bytes, as: UTF8.self)
    }

    /// Whether it has one or more labels before `parent`.
    public func isSubdomain(of parent: HostName) -> Bool {
        // Byte by byte from the end: both are ASCII, and this is asked at every connection.
        var rest = text.utf8[...]
        guard rest.count > parent.text.utf8.count + 1 else { return false }
        for byte in parent.text.utf8.reversed() where rest.popLast() != byte { return false }
        return rest.last == UInt8(ascii: ".")
    }
}
