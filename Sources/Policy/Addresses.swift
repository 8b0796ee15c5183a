/// IPv4 in its one unambiguous form: four decimal numbers, no leading zeros.
enum IPv4 {
    /// The address's 4 bytes, or nil.
    static func parse(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard let byte = UInt8(part), String(byte) == part else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}

/// IPv6 as RFC 4291 section 2.2 writes it, without a zone.
enum IPv6 {
    /// The address's 16 bytes, or nil.
    static func parse(_ text: Substring) -> [UInt8]? {
        let halves = split(text)
        guard halves.count <= 2, let head = groups(halves[0], isLast: halves.count == 1) else {
            return nil
        }
        guard halves.count == 2 else { return head.count == 16 ? head : nil }
        guard let tail = groups(halves[1], isLast: true), head.count + tail.count <= 14 else {
            return nil
        }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    /// The text before and after `::`; three or more parts when it stands twice.
    private static func split(_ text: Substring) -> [Substring] {
        var parts: [Substring] = []
        var rest = text
        while let gap = firstGap(rest) {
            parts.append(rest[..<gap])
            rest = rest[rest.index(gap, offsetBy: 2)...]
        }
        return parts + [rest]
    }

    private static func firstGap(_ text: Substring) -> Substring.Index? {
        text.indices.first { index in
            let next = text.index(after: index)
            return text[index] == ":" && next < text.endIndex && text[next] == ":"
        }
    }

    /// The bytes of groups between single colons; the last may be an IPv4 address.
    private static func groups(_ text: Substring, isLast: Bool) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if isLast, index == parts.count - 1, let address = IPv4.parse(part) {
                bytes += address
                continue
            }
            let isHex = part.utf8.count <= 4 && part.allSatisfy { $0.isASCII && $0.isHexDigit }
            guard isHex, let group = UInt16(part, radix: 16) else { return nil }
            bytes += [UInt8(group >> 8), UInt8(group & 0xff)]
        }
        return bytes
    }
}
