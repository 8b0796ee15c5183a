internal import NIOCore

/// How a connection's server has fared, and when it may be started again: at once after one
/// failure, later and later after more, and then not for a while (a circuit breaker).
struct Health {
    /// Failures since a call was last answered.
    private(set) var failures = 0
    private var retryAt = NIODeadline.distantPast

    /// A start failed, or a server ended before it had answered any call.
    mutating func failed(at now: NIODeadline = .now()) {
        failures += 1
        retryAt = now + delay
    }

    /// A call was answered, or a person wants it to be tried now.
    mutating func recovered() { self = Health() }

    /// Whether starts are refused instead of delayed.
    var isOpen: Bool { failures >= Limit.failuresToOpen }

    /// How long no start is tried; nil when one may be tried now.
    func wait(at now: NIODeadline = .now()) -> TimeAmount? {
        retryAt > now ? retryAt - now : nil
    }

    private var delay: TimeAmount {
        if isOpen { return Limit.openCircuit }
        guard failures > 1 else { return .zero }
        let doublings = Int64(2 * (failures - 2))
        return .nanoseconds(Limit.firstBackoff.nanoseconds << doublings)
    }
}
