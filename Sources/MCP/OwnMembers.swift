internal import JSONRPC

/// Members that the broker adds to an object of a server's, under names that are its alone.
enum OwnMembers {
    /// What those names begin with; a server's own that begin so are left out.
    private static let prefix = Array("dev.corral/".utf8)

    /// Writes an object: `own`, then what stands in the object at `range`. Without a range, or
    /// where no object is, `own` stands alone.
    static func write(
        _ own: String, beside range: Range<Int>?, of bytes: [UInt8], _ hasReturns: Bool,
        into out: inout LineWriter
    ) {
        out.text("{")
        out.text(own)
        if let range, bytes[range.lowerBound] == UInt8(ascii: "{") {
            if mayClaim(bytes[range]) {
                writeOthers(bytes, range, into: &out)
            } else {
                let inner = range.lowerBound + 1..<range.upperBound - 1
                if bytes[inner].contains(where: { $0 > 0x20 }) {
                    out.text(",")
                    out.splice(bytes, inner, hasReturns: hasReturns)
                }
            }
        }
        out.text("}")
    }

    /// Whether a name of ours may stand in it: in any case, or behind an escape.
    private static func mayClaim(_ bytes: ArraySlice<UInt8>) -> Bool {
        if bytes.contains(UInt8(ascii: "\\")) { return true }
        return bytes.indices.contains { start in
            bytes.endIndex - start >= prefix.count
                && zip(bytes[start...], prefix).allSatisfy { lowered($0) == $1 }
        }
    }

    /// The members of others; none when an object in it has a name twice.
    private static func writeOthers(
        _ bytes: [UInt8], _ range: Range<Int>, into out: inout LineWriter
    ) {
        for member in Value.tree(bytes, range)?.objectValue?.members ?? []
        where !member.name.utf8.prefix(prefix.count).map(lowered).elementsEqual(prefix) {
            out.text(",")
            out.string(member.name)
            out.text(":")
            out.json(member.value)
        }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
