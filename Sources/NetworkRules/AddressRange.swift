/// Addresses that share their first bits (RFC 4632).
public struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    /// The first of them.
    public let first: IPAddress
    /// How many bits they share: 0 to 32 or 128.
    public let prefixLength: Int

    /// Nil when `prefixLength` is out of bounds or `first` has bits set behind it.
    public init?(_ first: IPAddress, prefixLength: Int) {
        guard (0...first.width).contains(prefixLength), first.prefix(prefixLength) == first else {
            return nil
        }
        self.first = first
        self.prefixLength = prefixLength
    }

    /// Reads `10.0.0.0/8`, `2001:db8::/32` or one address; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(String(decoding: parts[0], as: UTF8.self))
        else { return nil }
        guard parts.count == 2 else {
            self.init(address)
            return
        }
        guard let length = decimal(parts[1], max: address.width) else { return nil }
        self.init(address, prefixLength: length)
    }

    /// One address.
    public init(_ address: IPAddress) {
        first = address
        prefixLength = address.width
    }

    /// Whether it is one address.
    public var isSingle: Bool { prefixLength == first.width }

    /// Whether it is one of them.
    public func contains(_ address: IPAddress) -> Bool {
        address.family == first.family && address.prefix(prefixLength) == first
    }

    /// Whether every one of `other` is one of them.
    public func contains(_ other: AddressRange) -> Bool {
        prefixLength <= other.prefixLength && contains(other.first)
    }

    /// `10.0.0.0/8`; one address without its length.
    public var description: String { isSingle ? "\(first)" : "\(first)/\(prefixLength)" }
}
