/// Compares names as a reader would that ignores case, such as Go's.
enum CaseFolding {
    /// A name's bytes with case taken away: ASCII letters, and the two letters beyond ASCII that
    /// fold to ASCII ones (U+017F to `s`, U+212A to `k`).
    static func folded(_ name: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(name.count)
        var at = 0
        while at < name.count {
            let byte = name[at]
            if byte == 0xC5, at + 1 < name.count, name[at + 1] == 0xBF {
                out.append(UInt8(ascii: "s"))
                at += 2
            } else if byte == 0xE2, at + 2 < name.count, name[at + 1] == 0x84, name[at + 2] == 0xAA
            {
                out.append(UInt8(ascii: "k"))
                at += 3
            } else {
                let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                out.append(isUpper ? byte | 0x20 : byte)
                at += 1
            }
        }
        return out
    }

    /// The known key that a name would be taken for.
    static func key(_ folded: [UInt8], at level: Level) -> Key? {
        keys.first { $0.bytes == folded && level.knows($0.key) }?.key
    }

    private static let keys = Key.spellings.map {
        Key.Spelling(key: $0.key, bytes: CaseFolding.folded($0.bytes))
    }
}
