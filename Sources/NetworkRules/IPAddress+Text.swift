extension IPAddress: CustomStringConvertible {
    /// Reads an address in its one unambiguous spelling; nil for anything else.
    ///
    /// IPv4 is four decimal numbers without leading zeros; IPv6 is what RFC 4291 section 2.2
    /// writes, without brackets and zone. Nothing is repaired.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Limit.addressBytes else { return nil }
        if let bits = Self.v4(bytes[...]) {
            self.init(v4: bits)
        } else if let groups = Self.v6(bytes) {
            let words = [groups.prefix(4), groups.suffix(4)].map { half in
                half.reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
            }
            self.init(v6: words[0], words[1])
        } else {
            return nil
        }
    }

    /// The address as RFC 5952 writes it.
    public var description: String {
        switch family {
        case .v4: Self.dotted(UInt32(truncatingIfNeeded: low))
        case .v6 where high == 0 && low >> 32 == 0xffff:
            "::ffff:" + Self.dotted(UInt32(truncatingIfNeeded: low))
        case .v6: Self.groupsText([high, low])
        }
    }

    private static func dotted(_ bits: UInt32) -> String {
        [24, 16, 8, 0].map { String(bits >> UInt32($0) & 0xff) }.joined(separator: ".")
    }

    private static func groupsText(_ words: [UInt64]) -> String {
        let groups = words.flatMap { word in [48, 32, 16, 0].map { word >> UInt64($0) & 0xffff } }
        let gap = longestZeros(groups)
        let texts = groups.map { String($0, radix: 16) }
        guard let gap else { return texts.joined(separator: ":") }
        return texts[..<gap.lowerBound].joined(separator: ":") + "::"
            + texts[gap.upperBound...].joined(separator: ":")
    }

    /// The first of the longest runs of two or more groups that are 0.
    private static func longestZeros(_ groups: [UInt64]) -> Range<Int>? {
        var best: Range<Int>?
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start >= 2, index - start > best?.count ?? 0 { best = start..<index }
            start = index + 1
        }
        return best
    }

    private static func v4(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard let byte = decimal(part, max: 255) else { return nil }
            bits = bits << 8 | UInt32(byte)
        }
        return bits
    }

    /// The 8 groups.
    private static func v6(_ text: [UInt8]) -> [UInt16]? {
        guard let gap = firstGap(text) else {
            return groups(text[...]).flatMap { $0.count == 8 ? $0 : nil }
        }
        let tail = text[(gap + 2)...]
        guard firstGap(Array(tail)) == nil, let first = groups(text[..<gap], isFirstHalf: true),
            let last = groups(tail), first.count + last.count <= 7
        else { return nil }
        return first + [UInt16](repeating: 0, count: 8 - first.count - last.count) + last
    }

    private static func firstGap(_ text: [UInt8]) -> Int? {
        text.indices.dropLast().first {
            text[$0] == UInt8(ascii: ":") && text[$0 + 1] == UInt8(ascii: ":")
        }
    }

    /// Groups between single colons; at the address's end the last two may be an IPv4 address.
    private static func groups(_ text: ArraySlice<UInt8>, isFirstHalf: Bool = false) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if !isFirstHalf, index == parts.count - 1, let bits = v4(part) {
                groups += [UInt16(bits >> 16), UInt16(bits & 0xffff)]
            } else if let group = hexadecimal(part) {
                groups.append(group)
            } else {
                return nil
            }
        }
        return groups
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(digits.count) else { return nil }
        var value: UInt16 = 0
        for digit in digits {
            let part: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): part = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): part = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): part = digit - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt16(part)
        }
        return value
    }
}

/// A whole number in ASCII digits without sign and leading zeros, at most `max`; nil otherwise.
func decimal(_ digits: some Collection<UInt8>, max: Int) -> Int? {
    guard (1...5).contains(digits.count),
        digits.count == 1 || digits.first != UInt8(ascii: "0")
    else { return nil }
    var value = 0
    for digit in digits {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
        value = value * 10 + Int(digit - UInt8(ascii: "0"))
    }
    return value <= max ? value : nil
}

/// What a text may hold at most.
enum Limit {
    /// An address: 8 groups of 4 digits, or 6 groups and an IPv4 address.
    static let addressBytes = 45
    /// An entry of `network.allow`: a name of 253 bytes and its ports.
    static let destinationBytes = 512
    /// Ports and ranges of ports in one entry.
    static let portRanges = 32
}
