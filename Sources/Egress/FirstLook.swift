import NetworkRules
import Wire

/// The first bytes of a client's on a connection that was allowed by name, until it is known whom
/// they are for.
struct FirstLook {
    /// What the bytes say.
    enum Finding: Equatable {
        /// They may be passed on, and what follows as well.
        case agreed
        /// More is needed; none may be passed on.
        case waiting
        /// More is needed, but a protocol that names no host waits for an answer to these.
        case watching
        /// They are for somebody else.
        case mismatch
    }

    /// What came so far.
    private(set) var bytes: [UInt8] = []
    /// Whether it has taken long enough to let bytes pass that name nobody yet.
    var isLate = false

    /// How many of them were passed on.
    private var passed = 0

    /// Whether nothing came yet.
    var isEmpty: Bool { bytes.isEmpty }
    /// How many more are looked at.
    var room: Int { Wire.Limit.firstBytes - bytes.count }

    mutating func add(_ more: ArraySlice<UInt8>) { bytes += more }

    /// What came and was not passed on yet, to be passed on now.
    mutating func takeUnsent() -> [UInt8] {
        defer { passed = bytes.count }
        return Array(bytes[passed...])
    }

    /// Judges what came; `agrees` tells whether a name is one that the address was given out for
    /// and that is allowed there.
    func finding(hasEnded: Bool, _ agrees: (HostName) -> Bool) -> Finding {
        switch FirstBytes.read(bytes) {
        case .unnamed: return .agreed
        case .unreadable: return .mismatch
        case .names(let names):
            let agree = names.allSatisfy { HostName($0).map(agrees) ?? false }
            return agree ? .agreed : .mismatch
        case .needMore(let isNaming):
            if hasEnded { return isNaming ? .mismatch : .agreed }
            if isLate { return isNaming ? .mismatch : .watching }
            return .waiting
        }
    }
}
