/// An IPv4 or IPv6 address, without port and zone.
public struct IPAddress: Sendable, Hashable {
    /// Which of the two protocols it belongs to.
    public enum Family: UInt8, Sendable, CaseIterable {
        /// 4 bytes.
        case v4 = 4
        /// 16 bytes.
        case v6 = 6
    }
    /// Which of the two protocols it belongs to.
    public let family: Family
    /// The first 64 bits of an IPv6 address; 0 for IPv4.
    let high: UInt64
    /// The last 64 bits of an IPv6 address; the 32 bits of an IPv4 one.
    let low: UInt64

    init(family: Family, high: UInt64, low: UInt64) {
        self.family = family
        self.high = high
        self.low = low
    }

    /// An IPv4 address from its 32 bits, the first byte of the address highest.
    public init(v4 bits: UInt32) { self.init(family: .v4, high: 0, low: UInt64(bits)) }

    /// An IPv6 address from its 128 bits, the first byte of the address highest.
    public init(v6 high: UInt64, _ low: UInt64) { self.init(family: .v6, high: high, low: low) }

    /// 4 or 16 bytes in network order; nil for any other number of bytes.
    public init?(bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4: self.init(v4: bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16:
            self.init(
                v6: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
                bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
        default: return nil
        }
    }

    /// The 4 or 16 bytes in network order.
    public var bytes: [UInt8] {
        let words = family == .v4 ? [low << 32] : [high, low]
        let all = words.flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
        }
        return Array(all.prefix(width / 8))
    }

    /// How many bits it has.
    public var width: Int { family == .v4 ? 32 : 128 }

    /// The first `length` bits of it, the others 0.
    func prefix(_ length: Int) -> IPAddress {
        guard family == .v6 else {
            return IPAddress(v4: UInt32(truncatingIfNeeded: low) & Self.mask32(length))
        }
        return IPAddress(
            v6: high & Self.mask(min(length, 64)), low & Self.mask(max(length - 64, 0)))
    }

    private static func mask(_ length: Int) -> UInt64 {
        length == 0 ? 0 : ~0 << UInt64(64 - length)
    }

    private static func mask32(_ length: Int) -> UInt32 {
        length == 0 ? 0 : ~0 << UInt32(32 - length)
    }
}
