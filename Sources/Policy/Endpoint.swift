public import YAML

/// One destination of `network.allow`: a name, an address or a range of addresses, and a port.
public struct Endpoint: Sendable, Hashable {
    /// What may be connected to.
    public enum Host: Sendable, Hashable {
        /// A DNS name in lower case, without the final dot.
        case name(String)
        /// Addresses that share their first `prefixLength` bits; a single address has them all.
        case range(address: [UInt8], prefixLength: Int)
    }
    /// What may be connected to.
    public var host: Host
    /// The TCP port.
    public var port: UInt16

    /// Reads `host:port`, `address:port` or `cidr:port`.
    ///
    /// IPv6 stands in brackets, `[2001:db8::/32]:443`. Throws what is wrong with the text.
    public init(_ text: String) throws(Wrong) {
        guard let colon = text.lastIndex(of: ":") else {
            throw Wrong("write host:port, address:port or cidr:port")
        }
        host = try Self.host(String(text[..<colon]))
        port = try Self.port(text[text.index(after: colon)...])
    }

    private static func port(_ text: Substring) throws(Wrong) -> UInt16 {
        let isPlain = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isPlain, text.first != "0", let port = UInt16(text) else {
            throw Wrong("a port from 1 to 65535 is needed after the last ':'")
        }
        return port
    }

    private static func host(_ text: String) throws(Wrong) -> Host {
        if text.hasPrefix("["), text.hasSuffix("]") {
            return try range(String(text.dropFirst().dropLast()), IPv6.parse, bits: 128)
        }
        guard !text.contains(":") else {
            throw Wrong("write an IPv6 address in brackets, like [2001:db8::1]:443")
        }
        // What ends in a number is an address to every resolver, so it must be a whole one.
        let last = text.split(separator: "/")[safely: 0]?.split(separator: ".").last
        if text.contains("/") || (last?.first?.isNumber ?? false) {
            return try range(text, IPv4.parse, bits: 32)
        }
        return .name(try name(text))
    }

    private static func range(
        _ text: String, _ parse: (Substring) -> [UInt8]?, bits: Int
    ) throws(Wrong) -> Host {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = parse(parts[0]) else {
            throw Wrong("'\(printable(text))' is not an IP address or a range like 10.1.0.0/16")
        }
        guard parts.count == 2 else { return .range(address: address, prefixLength: bits) }
        guard let length = Int(parts[1]), (0...bits).contains(length), String(length) == parts[1]
        else { throw Wrong("a prefix length from 0 to \(bits) is needed after '/'") }
        let isClean = (length..<bits).allSatisfy { address[$0 / 8] & (0x80 >> ($0 % 8)) == 0 }
        guard isClean else {
            throw Wrong("'\(printable(text))' has bits set behind its prefix length")
        }
        return .range(address: address, prefixLength: length)
    }

    private static func name(_ text: String) throws(Wrong) -> String {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let isFit = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy(isHostByte)
        }
        guard isFit, text.utf8.count <= 253 else {
            throw Wrong("'\(printable(text))' is not a host name in lower-case ASCII")
        }
        return text
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}

extension Kind where Value == String {
    /// A destination, kept as it was written.
    public static var endpoint: Kind {
        Kind.text().named("`host:port`, `address:port` or `cidr:port`").checked {
            text throws(Wrong) in
            _ = try Endpoint(text)
        }
    }
}

extension Array {
    fileprivate subscript(safely index: Int) -> Element? {
        indices.contains(index) ? self[index] : nil
    }
}
