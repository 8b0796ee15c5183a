/// The uids that sandboxes run as: one for each that lives, none given out twice at a time.
///
/// The first of the range owns installed files on disk and never runs anything but as a mapping.
struct UIDPool {
    /// Who owns installed files.
    let installer: UInt32
    private let range: Range<UInt32>
    private var used: Set<UInt32> = []
    private var next: UInt32

    init(first: UInt32, count: UInt32) {
        installer = first
        range = first + 1..<first + count
        next = range.lowerBound
    }

    /// Whether all are in use.
    var isEmpty: Bool { used.count >= range.count }

    /// A free uid, the one that has been free longest; nil when all are in use.
    mutating func take() -> UInt32? {
        guard used.count < range.count else { return nil }
        while used.contains(next) { advance() }
        defer { advance() }
        used.insert(next)
        return next
    }

    /// Gives a uid back; to be called when no process and no cgroup of it is left.
    mutating func give(back uid: UInt32) { used.remove(uid) }

    private mutating func advance() {
        next = next + 1 == range.upperBound ? range.lowerBound : next + 1
    }
}
