/// A name of DNS: labels of any bytes, letters lower case (RFC 1035, RFC 4343).
public struct DNSName: Sendable, Hashable {
    /// Each label after its length, without the root's zero.
    let wire: [UInt8]

    init(wire: [UInt8]) { self.wire = wire }

    /// Reads `a.example.com`, with or without the final dot; nil for labels that are empty or too
    /// long, and names that are.
    public init?(_ text: String) {
        var bytes = Array(text.utf8)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        var wire: [UInt8] = []
        for label in bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard (1...Limit.labelBytes).contains(label.count) else { return nil }
            wire.append(UInt8(label.count))
            wire += label.map(DNSName.lowercased)
        }
        guard wire.count < Limit.nameBytes else { return nil }
        self.wire = wire
    }

    /// The name with dots, for people: every byte but letters, digits, `-` and `_` is a `?`, so
    /// that a strange name is never one that a rule could name.
    public var text: String {
        var text: [UInt8] = []
        for label in labels {
            if !text.isEmpty { text.append(UInt8(ascii: ".")) }
            text += label.map { Self.isPlain($0) ? $0 : UInt8(ascii: "?") }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The labels, the leftmost first.
    var labels: [ArraySlice<UInt8>] {
        var labels: [ArraySlice<UInt8>] = []
        var at = 0
        while at < wire.count {
            let end = at + 1 + Int(wire[at])
            labels.append(wire[(at + 1)..<end])
            at = end
        }
        return labels
    }

    static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
