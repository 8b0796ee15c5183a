import Configuration
import Glibc
import Kernel
import SupervisorProtocol

/// What a broker is started with: the socket that clients know, its user, its walls.
final class BrokerDoor {
    let listener: Descriptor
    /// Its user and its filter, which a reload may change.
    var seat: ProcessSeat

    init(listener: consuming Descriptor, seat: ProcessSeat) {
        self.listener = listener
        self.seat = seat
    }
}

extension Supervisor {
    func startBrokerIfDue() throws(KernelError) {
        guard let door, stopping == nil, broker == nil, brokerRestarts.isDue else { return }
        do throws(KernelError) {
            try startBroker(door)
        } catch {
            // Out of descriptors or processes for now: sandboxes that run need not end for it.
            journal.event("broker-not-started", [("cause", error.description)])
            _ = brokerRestarts.wait()
        }
    }

    private func startBroker(_ door: BrokerDoor) throws(KernelError) {
        let range = settings.sandboxUIDs
        let started = try door.seat.start(
            programs.broker, through: programs.launcher,
            [
                "--control-fd", "3",
                "--sandbox-uids", "\(range.first):\(range.count)", "--state", instance.brokerState,
                "--policies", settings.policies, "--runcards", settings.runcards,
            ], descriptors: [door.listener.raw])
        try poller.add(started.link.raw, token: Source.link.token)
        linked = true
        if let raw = started.pidfd { try poller.add(raw, token: Source.broker.token) }
        journal.event("broker-started", [("pid", String(started.pid ?? 0))])
        broker = started
    }

    /// The broker's process has ended: its sandboxes end with it, and another one is started.
    func brokerEnded() throws(KernelError) {
        guard let ended = broker, let ending = try ended.child?.reap() ?? nil else { return }
        if let raw = ended.pidfd { try poller.remove(raw) }
        if linked { try poller.remove(ended.link.raw) }
        let pause = brokerRestarts.wait(since: ended.since)
        let fields = [
            ("status", String(ending.status)), ("signal", String(ending.signal)),
            ("restart_in_ms", stopping == nil ? String(pause) : "never"),
        ]
        journal.event("broker-ended", fields)
        try brokerGone()
    }

    /// What was asked for in its name ends.
    func brokerGone() throws(KernelError) {
        broker = nil
        linked = false
        isGreeted = false
        for sandbox in sandboxes.values { sandbox.orphaned = true }
        for installation in installations.values { installation.waiting = [] }
        try killAll()
    }

    /// Tells the broker; one that does not take it is stuck, and is replaced.
    func send(_ event: Event, descriptors: [CInt] = []) throws(KernelError) {
        guard let link = broker?.link.raw else { return }
        guard let datagram = event.encoded() else {
            journal.event("event-too-long")
            return
        }
        do throws(KernelError) {
            try Socket.send(datagram, descriptors: descriptors, over: link)
        } catch {
            journal.event("broker-deaf", [("cause", error.description)])
            try broker?.signal(SIGKILL)
        }
    }
}
