import Configuration
import Glibc
import Kernel

/// A process that outlives a killed supervisor just long enough to remove what the kernel does not
/// remove by itself: cgroup directories and half-made installations (sweep.c).
final class Sweeper {
    let child: Child
    /// Closes when this process ends, however it ends.
    let lifeline: Descriptor
    /// When it was started, by the monotonic clock in microseconds.
    let since = System.monotonicMicroseconds

    init(child: consuming Child, lifeline: consuming Descriptor) {
        self.child = child
        self.lifeline = lifeline
    }
}

extension Supervisor {
    /// It gets the lock too: a successor must not start while it removes what bears the same names.
    private func startSweeper() throws(KernelError) {
        let pipe = try Pipe()
        let roots = nursery.cgroups.roots.map { "cgroup:" + $0 }
        let child = try Child.spawn(
            programs.launcher,
            arguments: ["sweep"] + roots
                + ["tree:" + (door == nil ? settings.state : instance.installing)],
            environment: [], descriptors: [pipe.read.raw, instance.lock.raw])
        try poller.add(child.pidfd.raw, token: Source.sweeper.token)
        sweeper = Sweeper(child: child, lifeline: try pipe.write.duplicate())
    }

    func startSweeperIfDue() {
        guard sweeper == nil, System.monotonicMicroseconds >= sweeperDue else { return }
        do throws(KernelError) {
            try startSweeper()
        } catch {
            journal.event("sweeper-not-started", [("cause", error.description)])
            sweeperDue = System.monotonicMicroseconds + Limit.sweeperPauseMicroseconds
        }
    }

    /// Somebody killed it: without one a crash would leave cgroups behind, so another follows
    /// at once, unless it ended as soon as it was started.
    func sweeperEnded() throws(KernelError) {
        guard let ended = sweeper, try ended.child.reap() != nil else { return }
        try poller.remove(ended.child.pidfd.raw)
        journal.event("sweeper-ended")
        sweeper = nil
        sweeperDue = ended.since + Limit.sweeperPauseMicroseconds
    }

    /// At an orderly end nothing is left to sweep.
    func stopSweeper() throws(KernelError) {
        guard let last = sweeper else { return }
        sweeper = nil
        try poller.remove(last.child.pidfd.raw)
        try last.child.end()
    }
}
