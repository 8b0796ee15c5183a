/// Addresses that share their first bits (RFC 4632).
public struct AddressRange: Sendable, Hashable {
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

    /// One address.
    public init(_ address: IPAddress) {
        first = address
        prefixLength = address.width
    }

    /// Whether it is one of them.
    public func contains(_ address: IPAddress) -> Bool {
        address.family == first.family && address.prefix(prefixLength) == first
    }

    /// Whether every one of `other` is one of them.
    public func contains(_ other: AddressRange) -> Bool {
        prefixLength <= other.prefixLength && contains(other.first)
    }
}
