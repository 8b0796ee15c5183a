/// Bytes of the calls in flight at a sandbox. Calls that overlap share what they may use: one
/// limit for each, since nothing tells whose a byte is.
struct CallBudget {
    private var calls = 0
    private var used = 0

    mutating func began() { calls += 1 }

    mutating func ended(limit: Int?) {
        calls = max(0, calls - 1)
        used = calls == 0 ? 0 : max(0, used - (limit ?? used))
    }

    /// Bytes that may still be moved; nil when nothing limits them.
    func left(limit: Int?) -> Int? {
        guard let limit, calls > 0 else { return nil }
        let (all, overflow) = limit.multipliedReportingOverflow(by: calls)
        return overflow ? nil : max(0, all - used)
    }

    mutating func spend(_ bytes: Int) {
        if calls > 0 { used += bytes }
    }
}

/// Bytes of a day (UTC) that all sandboxes of one owner share.
final class DayBudget {
    /// More than any line carries in a day, and far from overflow.
    private static let most: UInt64 = 1 << 60
    private var day: UInt64
    private var used: Int

    init(day: UInt64) {
        self.day = day
        used = 0
    }

    /// Counts what was used before this process began to count.
    func add(_ bytes: UInt64, day: UInt64) {
        turn(to: day)
        used = min(used + Int(min(bytes, Self.most)), Int(Self.most))
    }

    /// Bytes that may still be moved; nil when nothing limits them.
    func left(limit: Int?, day: UInt64) -> Int? {
        guard let limit else { return nil }
        turn(to: day)
        return max(0, limit - used)
    }

    func spend(_ bytes: Int, day: UInt64) {
        turn(to: day)
        used += bytes
    }

    /// Whether nothing would be forgotten with it.
    func isUnused(on day: UInt64) -> Bool {
        turn(to: day)
        return used == 0
    }

    private func turn(to day: UInt64) {
        guard day != self.day else { return }
        self.day = day
        used = 0
    }
}
