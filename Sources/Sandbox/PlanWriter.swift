import CLaunch

/// Writes the datagrams that corral-launch reads: 64-bit little-endian numbers, strings with their
/// length and a NUL (CLaunch.h).
struct PlanWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ value: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func put(_ value: Int) { put(UInt64(value)) }

    mutating func put(_ text: String) {
        put(text.utf8.count)
        bytes.append(contentsOf: text.utf8)
        bytes.append(0)
    }

    mutating func put(_ list: [String]) {
        put(list.count)
        for text in list { put(text) }
    }

    /// The finished datagram; nil when it holds a NUL or is beyond the launcher's limit.
    static func datagram(_ texts: [String], _ body: (inout Self) -> Void) -> [UInt8]? {
        guard !texts.contains(where: { $0.utf8.contains(0) }) else { return nil }
        var writer = Self()
        body(&writer)
        return writer.bytes.count <= Int(CORRAL_PLAN_BYTES) ? writer.bytes : nil
    }
}
