import Kernel

/// Something that is watched or waits for its time.
class Source {
    /// What the kernel names it by; 0 before it is in the table.
    final fileprivate(set) var token: UInt64 = 0
    /// Its place in the table.
    final var place: Int { Int(token >> 1 & UInt64(UInt32.max)) }
    /// Whether it waits for its next turn.
    final var waitsForTurn = false

    /// A descriptor of its has become ready: the one that was added under `token`, or the `other`
    /// that was added under `token | 1`.
    func ready(_ events: Poller.Events, other: Bool, _ gateway: Gateway) throws(EgressError) {}

    /// Its deadline has passed.
    func due(_ gateway: Gateway) {}

    /// Its next turn has come.
    func resume(_ gateway: Gateway) {}
}

/// All that is watched. A token names a place and how often the place was used before, so that what
/// the kernel said of something that is gone reaches nobody.
struct Table {
    private var sources: [Source?] = []
    private var uses: [UInt32] = []
    private var free: [Int] = []

    mutating func insert(_ source: Source) {
        let place = free.popLast() ?? sources.count
        if place == sources.count {
            sources.append(nil)
            uses.append(0)
        }
        uses[place] = (uses[place] &+ 1) & UInt32(Int32.max)
        sources[place] = source
        source.token = UInt64(uses[place]) << 33 | UInt64(place) << 1
    }

    func find(_ token: UInt64) -> Source? {
        let place = Int(token >> 1 & UInt64(UInt32.max))
        guard place < sources.count, UInt64(uses[place]) == token >> 33 else { return nil }
        return sources[place]
    }

    func at(_ place: Int) -> Source? { sources[place] }

    mutating func remove(_ source: Source) {
        let place = source.place
        guard source.token != 0, sources[place] === source else { return }
        sources[place] = nil
        free.append(place)
    }
}
