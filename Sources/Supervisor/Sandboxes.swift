import Glibc
import Kernel
import Sandbox
import SupervisorProtocol

extension Supervisor {
    /// Takes a cloned sandbox into the loop.
    func watch(_ sandbox: RunningSandbox) throws(KernelError) {
        try serve(sandbox)
        // One that waited is watched already.
        guard sandboxes.updateValue(sandbox, forKey: sandbox.id) == nil else { return }
        // While it confines itself.
        sandbox.mounts = System.mountNamespace(of: sandbox.child.pid)
        try poller.add(sandbox.status.raw, token: Source.status(sandbox.id).token)
        try poller.add(sandbox.child.pidfd.raw, token: Source.process(sandbox.id).token)
        if let raw = sandbox.memoryAlarm?.raw {
            try poller.add(raw, token: Source.memory(sandbox.id).token)
        }
    }

    /// Its memory is used up: all of it ends, as version 2 of cgroups does by itself, instead of
    /// one process after another until what is left waits for what is gone.
    func memoryExceeded(_ id: UInt64) throws(KernelError) {
        guard let sandbox = sandboxes[id] else { return }
        sandbox.outOfMemory = true
        try silenceAlarm(sandbox)
        try sandbox.kill()
    }

    private func silenceAlarm(_ sandbox: RunningSandbox) throws(KernelError) {
        guard let raw = sandbox.memoryAlarm?.raw else { return }
        try poller.remove(raw)
        sandbox.memoryAlarm = nil
    }

    /// Reads what the launcher and the sandbox's pid 1 say.
    func readReports(of id: UInt64) throws(KernelError) {
        guard let sandbox = sandboxes[id] else { return }
        if try !drainReports(sandbox) { try stopReading(sandbox) }
    }

    private func stopReading(_ sandbox: RunningSandbox) throws(KernelError) {
        guard sandbox.watchesStatus else { return }
        sandbox.watchesStatus = false
        try poller.remove(sandbox.status.raw)
    }

    /// False at the end of the pipe.
    private func drainReports(_ sandbox: RunningSandbox) throws(KernelError) -> Bool {
        while let bytes = try sandbox.status.read(limit: Report.size, from: "status") {
            guard !bytes.isEmpty else { return false }
            try take(Report(bytes), of: sandbox)
        }
        return true
    }

    private func take(_ report: Report?, of sandbox: RunningSandbox) throws(KernelError) {
        switch report {
        case .waiting(let landlock):
            sandbox.landlock = landlock
            try waits(sandbox)
        case .started(let landlock):
            sandbox.landlock = landlock
            try started(sandbox)
        case .failed(let error): sandbox.failure = error
        case .exited(let status, let signal):
            sandbox.ended = (status, signal)
            // Pid 1 ends now, and the kernel ends the rest, which may wait for a disk.
            sandbox.letGoOfDisks()
        default: try sandbox.kill()
        }
    }

    /// Ends a sandbox; only a supervisor that may not signal its own child fails at it.
    private func end(_ sandbox: RunningSandbox) throws(SandboxError) {
        do throws(KernelError) {
            try sandbox.kill()
        } catch {
            throw SandboxError(step: "verify", error)
        }
    }

    /// Its tool has been executed: the look from outside, and only then the way to it.
    private func started(_ sandbox: RunningSandbox) throws(KernelError) {
        if !sandbox.isVerified, try !verify(sandbox) { return }
        guard let request = sandbox.purpose.request, !sandbox.orphaned else { return }
        sandbox.deadline = nil
        sandbox.announced = true
        try announce(sandbox, request)
        // All that pid 1 still says is how the tool has ended, and its own end follows at once,
        // unless a disk keeps it.
        if sandbox.cgroup.limits.disks == nil { try stopReading(sandbox) }
    }

    /// Whether every wall is in force; otherwise it ends.
    func verify(_ sandbox: RunningSandbox) throws(KernelError) -> Bool {
        do throws(SandboxError) {
            let holds = try Posture.verify(
                pid: sandbox.child.pid, uid: sandbox.uid, own: own,
                keeping: sandbox.keptNamespaces)
            // A short-lived one has ended meanwhile. Should it not have, it ends now, unverified;
            // what it said is handed over when it is gone.
            if !holds { try end(sandbox) }
            return holds
        } catch {
            // One that has ended since tells nothing any more, and there is nothing to hand over.
            if try sandbox.child.reapable() { return false }
            sandbox.failure = error
            try sandbox.kill()
            return false
        }
    }

    /// Hands the broker a sandbox's pipes and meters, once.
    private func announce(_ sandbox: RunningSandbox, _ request: UInt64) throws(KernelError) {
        guard let ends = sandbox.ends.take() else { return }
        let meters = sandbox.meters.take()
        let pipes = [ends.input.raw, ends.output.raw, ends.errors.raw, sandbox.child.pidfd.raw]
        try send(
            .started(id: request, sandbox: sandbox.id, meters: Meters(meters?.kinds)),
            descriptors: pipes + (meters?.raw ?? []))
        // Until here they must be open.
        withExtendedLifetime(meters) {}
    }

    /// Its pid 1 has ended, and the kernel has ended everything else in it.
    func processEnded(_ id: UInt64) throws(KernelError) {
        guard let sandbox = sandboxes[id], let ending = try sandbox.child.reap() else { return }
        _ = try drainReports(sandbox)
        sandboxes[id] = nil
        try talk { () throws(KernelError) in try gateway.close(id) }
        let usage = measure(sandbox)
        graves.append((sandbox, 0))
        try tellEnd(of: sandbox, ending, usage)
        // Nobody waits for the rest.
        try poller.remove(sandbox.child.pidfd.raw)
        try stopReading(sandbox)
        try silenceAlarm(sandbox)
    }

    private func tellEnd(
        of sandbox: RunningSandbox, _ ending: Child.Ending, _ usage: Usage
    ) throws(KernelError) {
        let ended = sandbox.ended ?? (ending.status == 0 ? -1 : ending.status, ending.signal)
        switch sandbox.purpose {
        case .server(let request), .run(let request, _):
            try serverEnded(sandbox, request, ended, usage)
        case .installation(let prefix): try stepEnded(prefix, sandbox, ended, usage)
        case .spare: spareEnded(sandbox)
        }
    }

    private func serverEnded(
        _ sandbox: RunningSandbox, _ request: UInt64, _ ended: (status: Int32, signal: Int32),
        _ usage: Usage
    ) throws(KernelError) {
        guard !sandbox.orphaned else { return }
        if let failure = sandbox.failure {
            let refusal = Refusal(sandbox.purpose, name: sandbox.name, failure)
            return try send(.refused(id: request, refusal))
        }
        // It ended so fast that nobody has been told it ran: the broker wants its last words.
        if !sandbox.announced { try announce(sandbox, request) }
        let ending = Ending(
            status: ended.status, signal: ended.signal, requested: sandbox.requested,
            cause: sandbox.cause, usage: usage)
        try send(.exited(sandbox: sandbox.id, ending))
    }

    /// Kills what has not started, or not finished installing, in its time.
    func endWhatIsLate() throws(KernelError) {
        let now = System.monotonicMicroseconds
        if let stopping, stopping <= now { try broker?.signal(SIGKILL) }
        try endWhatIsUsedUp(now)
        for sandbox in sandboxes.values {
            guard let deadline = sandbox.deadline, deadline <= now else { continue }
            sandbox.deadline = nil
            sandbox.failure = SandboxError(
                step: "deadline", cause: "it took longer than it may",
                hint: "see install.timeout in the policy")
            try sandbox.kill()
        }
    }

    /// What a sandbox has used; figures that cannot be read are 0, and that is said aloud.
    func measure(_ sandbox: RunningSandbox) -> Usage {
        do throws(KernelError) {
            var usage = try Usage(sandbox.counters, of: sandbox.cgroup)
            // The kernel may not have got to killing anything itself.
            if sandbox.outOfMemory { usage.memoryKills = max(usage.memoryKills, 1) }
            return usage
        } catch {
            journal.event("not-measured", [("cause", error.description)])
            let limits = sandbox.cgroup.limits
            return Usage(
                memoryLimitBytes: UInt64(limits.memoryBytes),
                processLimit: UInt64(limits.processes))
        }
    }

    func killAll() throws(KernelError) {
        for sandbox in sandboxes.values {
            sandbox.requested = true
            try sandbox.kill()
        }
    }

    /// Removes the cgroups of the dead; only then may their uids be used again.
    func bury() throws(KernelError) {
        var left: [(sandbox: RunningSandbox, attempts: Int)] = []
        for (sandbox, attempts) in graves {
            do throws(KernelError) {
                try sandbox.cgroup.remove()
                nursery.uids.give(back: sandbox.uid)
                if let mounts = sandbox.mounts.take() { nursery.hold(mounts) }
                if sandbox.grant.kind == nil, let network = sandbox.network.take(),
                    let user = sandbox.user
                {
                    nursery.networks.keep(network, of: user)
                }
            } catch  where error.errno == EBUSY && attempts < Limit.burialAttempts {
                left.append((sandbox, attempts + 1))
                // A zygote that has had no time to go to its next place.
                if attempts == Limit.zygoteAttempts { nursery.endZygotes() }
            } catch {
                // The uid stays taken: something of it may still live there.
                journal.event("cgroup-left", [("cause", error.description)])
            }
        }
        graves = left
        if stopping != nil && broker == nil { try killAll() }
    }
}
