/// What is wrong with an entry of `network.allow`, in words that say what would be right.
public struct MalformedDestination: Error, Sendable, Equatable {
    /// The words.
    public let message: String
}

extension Destination: CustomStringConvertible {
    /// Reads `HOST:PORTS`.
    ///
    /// HOST is a name, `*.NAME`, an IPv4 address or range, an IPv6 address or range in brackets, or
    /// `host_addresses`. PORTS are ports and ranges of ports between commas: `443,8000-8100`.
    /// There is one spelling of everything; nothing is repaired.
    public init(_ text: String) throws(MalformedDestination) {
        guard text.utf8.count <= Limit.destinationBytes else {
            throw MalformedDestination(message: "longer than \(Limit.destinationBytes) bytes")
        }
        guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw MalformedDestination(
                message: "only printable ASCII without spaces (write an international name as "
                    + "its xn-- form)")
        }
        guard let colon = text.lastIndex(of: ":") else {
            throw MalformedDestination(message: "write host:port, address:port or cidr:port")
        }
        host = try Self.host(text[..<colon])
        ports = try Self.ports(text[text.index(after: colon)...])
    }

    /// The entry as it would be written.
    public var description: String { "\(host):\(portsText)" }

    private var portsText: String {
        ports.map { range in
            range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
        }.joined(separator: ",")
    }

    private static func ports(
        _ text: Substring
    ) throws(MalformedDestination) -> [ClosedRange<UInt16>] {
        let items = text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard items.count <= Limit.portRanges else {
            throw MalformedDestination(
                message: "more than \(Limit.portRanges) ports and ranges of ports")
        }
        var ranges: [ClosedRange<UInt16>] = []
        for item in items {
            let ends = item.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
                .map { decimal($0, max: 65_535) ?? 0 }
            guard ends.count <= 2, let first = ends.first, let last = ends.last, first > 0,
                ends.count == 1 || first < last
            else {
                throw MalformedDestination(
                    message: "ports from 1 to 65535 are needed after the last ':', "
                        + "like 443 or 443,8000-8100")
            }
            ranges.append(UInt16(first)...UInt16(last))
        }
        return ranges
    }

    private static func host(_ text: Substring) throws(MalformedDestination) -> Host {
        if text == "host_addresses" { return .hostAddresses }
        if text.hasPrefix("["), text.hasSuffix("]") {
            return .range(try range(text.dropFirst().dropLast(), .v6))
        }
        guard !text.contains(":") else {
            throw MalformedDestination(
                message: "write an IPv6 address in brackets, like [2001:db8::1]:443")
        }
        // What ends in a number is an address to every resolver, so it must be a whole one.
        let last = text.split(separator: ".").last?.utf8.first ?? 0
        if text.contains("/") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(last) {
            return .range(try range(text, .v4))
        }
        if text.hasPrefix("*.") { return .subdomains(of: try name(text.dropFirst(2))) }
        guard !text.contains("*") else {
            throw MalformedDestination(
                message: "'*' stands for whole labels at a name's beginning only: *.example.com")
        }
        return .name(try name(text))
    }

    private static func name(_ text: Substring) throws(MalformedDestination) -> HostName {
        guard let name = HostName(String(text)), name.text == text else {
            throw MalformedDestination(message: "'\(text)' is not a host name in lower-case ASCII")
        }
        return name
    }

    private static func range(
        _ text: Substring, _ family: IPAddress.Family
    ) throws(MalformedDestination) -> AddressRange {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(parts[0]), address.family == family else {
            let example = family == .v4 ? "10.1.0.0/16" : "2001:db8::/32"
            throw MalformedDestination(
                message: "'\(text)' is not an IP address or a range like \(example)")
        }
        if let inner = address.mapped {
            throw MalformedDestination(
                message: "'\(text)' is IPv4 in IPv6 (write \(inner) without brackets)")
        }
        if let range = AddressRange(text) { return range }
        guard decimal(parts[1].utf8, max: address.width) != nil else {
            throw MalformedDestination(
                message: "a prefix length from 0 to \(address.width) is needed after '/'")
        }
        throw MalformedDestination(message: "'\(text)' has bits set behind its prefix length")
    }
}

extension Destination.Host: CustomStringConvertible {
    /// The hosts as an entry names them.
    public var description: String {
        switch self {
        case .name(let name): name.text
        case .subdomains(let name): "*." + name.text
        case .range(let range): range.first.family == .v6 ? "[\(range)]" : "\(range)"
        case .hostAddresses: "host_addresses"
        }
    }
}

extension IPAddress {
    /// The IPv4 address that an IPv4-mapped one stands for.
    var mapped: IPAddress? {
        family == .v6 && high == 0 && low >> 32 == 0xffff
            ? IPAddress(v4: UInt32(truncatingIfNeeded: low)) : nil
    }
}
