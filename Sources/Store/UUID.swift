/// A random identifier (RFC 9562, version 4), written in its 36 lower-case characters.
public struct UUID: Sendable, Hashable, CustomStringConvertible {
    /// The text: `0b2d1f2e-5c1d-4b7a-9d0e-2f6a1c3b4d5e`.
    public let description: String

    /// Makes a new one from the kernel's random numbers.
    public init() {
        var generator = SystemRandomNumberGenerator()
        let high = generator.next() as UInt64
        let low = generator.next() as UInt64
        self.init(
            high: high & 0xffff_ffff_ffff_0fff | 0x4000, low: low & (UInt64.max >> 2) | 1 << 63)
    }

    /// Takes a text of the right form, in either case; nil otherwise.
    public init?(_ text: String) {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12],
            groups.allSatisfy({ $0.utf8.allSatisfy(Self.isHexadecimal) })
        else { return nil }
        description = text.lowercased()
    }

    private init(high: UInt64, low: UInt64) {
        let text = Self.hexadecimal(high) + Self.hexadecimal(low)
        var grouped = ""
        for (index, character) in text.enumerated() {
            if [8, 12, 16, 20].contains(index) { grouped.append("-") }
            grouped.append(character)
        }
        description = grouped
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
