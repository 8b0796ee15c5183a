/// Looks at eight bytes at a time, in one register: an order of magnitude faster than one by one.
enum Words {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The eight bytes from `at`, which must be there. One bounds check and one load remain of it.
    @inline(__always)
    static func load(_ bytes: Span<UInt8>, _ at: Int) -> UInt64 {
        let part = bytes.extracting(at..<at &+ 8)
        var word = UInt64(part[0])
        word |= UInt64(part[1]) << 8
        word |= UInt64(part[2]) << 16
        word |= UInt64(part[3]) << 24
        word |= UInt64(part[4]) << 32
        word |= UInt64(part[5]) << 40
        word |= UInt64(part[6]) << 48
        word |= UInt64(part[7]) << 56
        return word
    }

    /// Nonzero exactly when one of the word's bytes is zero.
    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & highs }

    /// The offset of the first line feed at or after `start`, or the count.
    static func lineFeed(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var at = start
        while at &+ 8 <= bytes.count, zeros(load(bytes, at) ^ (ones &* 0x0A)) == 0 { at &+= 8 }
        while at < bytes.count, bytes[at] != 0x0A { at &+= 1 }
        return at
    }

    /// The offset of the first byte at or after `start` that a JSON string does not simply contain
    /// (a quote, a backslash, a control character, a byte beyond ASCII), or the count.
    @inline(__always)
    static func endOfPlain(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var at = start
        while at &+ 8 <= bytes.count {
            let word = load(bytes, at)
            // A byte below 0x20 borrows into its high bit; one from 0x80 on has it already.
            let special =
                zeros(word ^ (ones &* 0x22)) | zeros(word ^ (ones &* 0x5C))
                | ((word &- ones &* 0x20) | word) & highs
            if special != 0 { break }
            at &+= 8
        }
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20
                || byte >= 0x80
            {
                break
            }
            at &+= 1
        }
        return at
    }
}
