import Glibc
import Kernel
import Sandbox
import SupervisorProtocol

/// What ends a sandbox by time: what all its processes together have used of the processors, and
/// its life. The limit that the kernel keeps is for each process alone, and a child starts afresh.
struct SandboxClock: Equatable {
    /// CPU time in microseconds.
    let cpuMicroseconds: UInt64
    /// The most that it can use in a second, in thousandths of a core.
    let millicores: UInt64
    /// When to look at what it has used, by the monotonic clock in microseconds.
    var look: UInt64
    /// When its life is over; nil for one that may live on.
    let lifeEnds: UInt64?

    /// Between two looks at one that is about to reach its limit.
    static let pauseMicroseconds: UInt64 = 100_000

    init(cpuSeconds: Int, millicores: Int, life: Duration?, now: UInt64) {
        // The kernel's own limit comes first where one process has used it all, and a second later
        // for one that does not listen (RLIMIT_CPU).
        cpuMicroseconds = UInt64(cpuSeconds + 1) * 1_000_000
        self.millicores = UInt64(max(millicores, 1))
        lifeEnds = life.map { now + UInt64($0.components.seconds) * 1_000_000 }
        look = now
        _ = reaches(used: 0, now: now)
    }

    /// The clock of one that begins to run.
    init(_ order: Nursery.Order, now: UInt64) {
        self.init(
            cpuSeconds: order.plan.cpuSeconds, millicores: order.limits.cpuMillicores,
            life: order.life, now: now)
    }

    /// When it has to be looked at next.
    var due: UInt64 { min(look, lifeEnds ?? .max) }

    /// Whether the limit is reached; otherwise the next look is at the earliest moment at which it
    /// can be, so that an idle sandbox is hardly ever looked at and a busy one cannot run past it.
    mutating func reaches(used: UInt64, now: UInt64) -> Bool {
        guard used < cpuMicroseconds else { return true }
        let earliest = (cpuMicroseconds - used) * 1000 / millicores
        look = now + max(earliest, Self.pauseMicroseconds)
        return false
    }
}

extension Supervisor {
    /// Ends what has used up its CPU time or its life.
    func endWhatIsUsedUp(_ now: UInt64) throws(KernelError) {
        for sandbox in sandboxes.values {
            guard let clock = sandbox.clock, clock.due <= now else { continue }
            if let over = clock.lifeEnds, over <= now {
                try end(sandbox, because: .life)
            } else if try usedUp(sandbox, now) {
                try end(sandbox, because: .cpuTime)
            }
        }
    }

    private func usedUp(_ sandbox: RunningSandbox, _ now: UInt64) throws(KernelError) -> Bool {
        do throws(KernelError) {
            let used = try sandbox.counters.cpuMicroseconds()
            return sandbox.clock?.reaches(used: used, now: now) ?? false
        } catch {
            // What cannot be measured cannot be limited.
            journal.event("not-measured", [("cause", error.description)])
            sandbox.clock = nil
            try sandbox.kill()
            return false
        }
    }

    private func end(
        _ sandbox: RunningSandbox, because cause: Ending.Cause
    ) throws(KernelError) {
        sandbox.clock = nil
        sandbox.cause = cause
        try sandbox.kill()
    }
}
