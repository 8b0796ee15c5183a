import Glibc
import Kernel
import Sandbox
import SupervisorProtocol

// Sandboxes that wait: how they come to be trusted, and when they go.

extension Supervisor {
    /// One that waits is confined completely: the look from outside, while nobody waits for it.
    ///
    /// Nothing that is looked at can be undone, by its pid 1 or by what that becomes the parent of:
    /// ids, empty capability sets, no_new_privs, filters and namespaces are inherited for good. So
    /// a start from it needs no second look: that it is the same process is known, since its pid
    /// is ours until we reap it, and only its pid 1 can write what its status pipe tells.
    func waits(_ sandbox: RunningSandbox) throws(KernelError) {
        guard sandbox.isSpare else { return try sandbox.kill() }
        guard try verify(sandbox) else { return }
        sandbox.isVerified = true
        nursery.warm.trust(sandbox)
    }

    /// One that waited has ended.
    func spareEnded(_ sandbox: RunningSandbox) {
        nursery.warm.ended(sandbox)
        guard !sandbox.requested else { return }
        let cause = sandbox.failure?.description ?? "it ended by itself"
        journal.event("warm-sandbox-ended", [("card", sandbox.name), ("cause", cause)])
    }

    /// Ends those that nobody will start: too many, unused for too long, or by old files.
    func endUnwanted() throws(KernelError) {
        if let due = nursery.warm.due, due <= System.monotonicMicroseconds {
            nursery.warm.forgetUnused(now: System.monotonicMicroseconds) { kind in
                sandboxes.values.contains { $0.kind === kind && !$0.isSpare }
            }
        }
        for spare in nursery.warm.takeUnwanted() where sandboxes[spare.id] != nil {
            spare.requested = true
            try spare.kill()
        }
    }

    /// Clones a sandbox; before it is refused for what the host has too little of, those that wait
    /// give up what they hold.
    func makingRoom(
        _ clone: () throws(Refusal) -> RunningSandbox
    ) throws(Refusal) -> RunningSandbox {
        while true {
            do throws(Refusal) {
                return try clone()
            } catch {
                guard error.isShortage, let spare = nursery.warm.giveUpOne() else { throw error }
                do throws(KernelError) { try endNow(spare) } catch { throw error.refusal }
            }
        }
    }

    /// Ends one that waits and buries it, for as long as a start may wait for that.
    private func endNow(_ spare: RunningSandbox) throws(KernelError) {
        spare.requested = true
        try spare.kill()
        let poller = try Poller()
        try poller.add(spare.child.pidfd.raw, token: 0)
        guard try !poller.wait(milliseconds: Limit.spareMilliseconds).isEmpty else { return }
        try poller.remove(spare.child.pidfd.raw)
        try processEnded(spare.id)
        try bury()
        guard graves.contains(where: { $0.sandbox === spare }) else { return }
        // A zygote that has had no time to go to its next place.
        nursery.endZygotes()
        for _ in 0..<Limit.spareMilliseconds where graves.contains(where: { $0.sandbox === spare })
        {
            _ = try poller.wait(milliseconds: 1)
            try bury()
        }
    }
}

extension Refusal {
    /// Whether it might not have been refused had others held less.
    fileprivate var isShortage: Bool {
        // A cgroup's failure has no number, only its step.
        [EUSERS, ENOSPC, EAGAIN, EMFILE, ENFILE, ENOMEM].contains(errno)
            || code == .host && step == "create"
    }
}

extension KernelError {
    fileprivate var refusal: Refusal {
        Refusal(code: .host, message: "cannot make room for a sandbox: \(self)", errno: errno)
    }
}
