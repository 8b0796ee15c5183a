internal import JSONRPC
internal import MCP
internal import NIOCore

/// What one client wants to hear of without asking again, and what it has not heard yet.
struct Hearing {
    /// Its `subscriptions/listen` requests, each with what of it is honoured.
    var listens: [RequestID: SubscriptionFilter] = [:]
    /// Resources it subscribed to in the legacy era, by the URIs it knows.
    var resources: Set<String> = []
    /// From which level on it wants to see what servers log; nil while it has not said.
    var logLevel: LogLevel?
    /// Changes that it is told of together.
    private var pending = Pending()

    private struct Pending {
        var lists: Set<ListKind> = []
        var resources: Set<String> = []
        var isEmpty: Bool { lists.isEmpty && resources.isEmpty }
    }

    /// How many resources it hears of.
    var resourceCount: Int {
        listens.values.reduce(resources.count) { $0 + $1.resources.count }
    }

    /// Whether it hears of changes of a resource.
    func hears(of uri: String) -> Bool {
        resources.contains(uri) || listens.values.contains { $0.resources.contains(uri) }
    }

    /// Notes that lists have changed; true when nothing was pending, so that it is told of now.
    mutating func note(_ lists: Set<ListKind>) -> Bool {
        defer { pending.lists.formUnion(lists) }
        return pending.isEmpty && !lists.isEmpty
    }

    /// The same for a resource, by the URI that it subscribed to. What is beyond the limit of
    /// subscriptions cannot be pending.
    mutating func note(_ uri: String) -> Bool {
        defer { pending.resources.insert(uri) }
        return pending.isEmpty
    }

    /// Writes what is pending; `isLegacy` is whether the client has a legacy session too.
    mutating func tell(isLegacy: Bool, into out: inout LineWriter) {
        let told = pending
        pending = Pending()
        for kind in [ListKind.tools, .prompts, .resources] where told.lists.contains(kind) {
            if isLegacy { Notices.changed(kind, listen: nil, into: &out) }
            for (id, filter) in listens where filter.lists.contains(kind) {
                Notices.changed(kind, listen: id, into: &out)
            }
        }
        for uri in told.resources.sorted() {
            if resources.contains(uri) { Notices.updated(uri, listen: nil, into: &out) }
            for (id, filter) in listens where filter.resources.contains(uri) {
                Notices.updated(uri, listen: id, into: &out)
            }
        }
    }
}

/// How often progress of one call is told: at once, and then the latest at intervals.
struct ProgressPace {
    /// When it was told last.
    private var last: NIODeadline?
    /// The newest report that was not told yet.
    private var pending: [UInt8] = []

    /// Takes a report: what is to be told now, and when the rest has to be.
    mutating func take(_ line: [UInt8], at now: NIODeadline) -> (tell: [UInt8], wait: TimeAmount?) {
        guard let last, now < last + Limit.progressInterval else {
            self.last = now
            return (line, nil)
        }
        defer { pending = line }
        return ([], pending.isEmpty ? last + Limit.progressInterval - now : nil)
    }

    /// The report that was not told yet, told now.
    mutating func rest(at now: NIODeadline) -> [UInt8] {
        defer { pending = [] }
        if !pending.isEmpty { last = now }
        return pending
    }
}

/// So many events a second, with some in advance.
struct TokenBucket {
    private var tokens: Double
    private var filled: NIODeadline
    private let rate: Double
    private let most: Double

    /// A full bucket that gains `rate` a second and holds `most`.
    init(rate: Int, most: Int, at now: NIODeadline = .now()) {
        self.rate = Double(rate)
        self.most = Double(most)
        tokens = Double(most)
        filled = now
    }

    /// Takes one; how long to wait before the next when there is none left.
    mutating func take(at now: NIODeadline = .now()) -> TimeAmount? {
        let seconds = Double((now - filled).nanoseconds) / 1e9
        tokens = min(most, tokens + seconds * rate) - 1
        filled = now
        guard tokens < 0 else { return nil }
        return .nanoseconds(Int64((1 - tokens) / rate * 1e9))
    }
}
