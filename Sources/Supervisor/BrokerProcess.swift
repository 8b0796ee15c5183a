import Configuration
import Glibc
import Kernel
import SupervisorProtocol

/// The unprivileged half, as the supervisor sees it while it runs; without a broker, the process
/// of root's that asks in its place.
final class BrokerProcess {
    /// Nil when it is not the supervisor's child.
    let child: Child?
    /// The child's pidfd, as it is watched.
    let pidfd: CInt?
    /// The way to talk to it.
    let link: Descriptor
    /// When it was started, by the monotonic clock in microseconds.
    let since: UInt64

    init(child: consuming Child, link: consuming Descriptor) {
        pidfd = child.pidfd.raw
        self.child = consume child
        self.link = link
        since = System.monotonicMicroseconds
    }

    /// Somebody who was there before the supervisor, and is not its to end.
    init(link: consuming Descriptor) {
        pidfd = nil
        child = nil
        self.link = link
        since = System.monotonicMicroseconds
    }

    /// Whether it is the supervisor's child.
    var isOurs: Bool { pidfd != nil }

    /// Sends it a signal, when it is the supervisor's to end.
    func signal(_ number: CInt) throws(KernelError) { try child?.signal(number) }
}

/// What a broker is started with: the socket that clients know, its user, its walls.
final class BrokerDoor {
    let listener: Descriptor
    let account: Account
    /// Its system call filter, compiled.
    let filter: [UInt8]

    init(listener: consuming Descriptor, account: Account, filter: [UInt8]) {
        self.listener = listener
        self.account = account
        self.filter = filter
    }
}

extension Supervisor {
    func startBrokerIfDue() throws(KernelError) {
        guard let door, stopping == nil, broker == nil,
            System.monotonicMicroseconds >= restartAt
        else { return }
        do throws(KernelError) {
            try startBroker(door)
        } catch {
            // Out of descriptors or processes for now: sandboxes that run need not end for it.
            journal.event("broker-not-started", [("cause", error.description)])
            pauseBroker()
        }
    }

    private func pauseBroker() {
        restartAt = System.monotonicMicroseconds + UInt64(restartPause) * 1000
        restartPause = min(restartPause * 2, Limit.restartMilliseconds.upperBound)
    }

    private func startBroker(_ door: BrokerDoor) throws(KernelError) {
        let pair = try Socket.seqpacketPair()
        // At most 32 KiB, which a pipe holds without a reader.
        let filter = try Pipe()
        try filter.write.write(door.filter, to: "filter")
        let range = settings.sandboxUIDs
        let child = try Child.spawn(
            programs.launcher,
            arguments: [
                "drop", String(door.account.uid), String(door.account.gid), programs.broker,
                "--control-fd", "3", "--supervisor-fd", "4", "--filter-fd", "5",
                "--sandbox-uids", "\(range.first):\(range.count)", "--state", instance.brokerState,
                "--policies", settings.policies, "--runcards", settings.runcards,
            ],
            environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"],
            descriptors: [door.listener.raw, pair.theirs.raw, filter.read.raw])
        let link = pair.keepOurs()
        // A broker that stops reading must never stop this process.
        try link.setNonblocking(true)
        try poller.add(link.raw, token: Source.link.token)
        linked = true
        try poller.add(child.pidfd.raw, token: Source.broker.token)
        journal.event("broker-started", [("pid", String(child.pid))])
        broker = BrokerProcess(child: child, link: link)
    }

    /// The broker's process has ended: its sandboxes end with it, and another one is started.
    func brokerEnded() throws(KernelError) {
        guard let ended = broker, let ending = try ended.child?.reap() ?? nil else { return }
        if let raw = ended.pidfd { try poller.remove(raw) }
        if linked { try poller.remove(ended.link.raw) }
        let now = System.monotonicMicroseconds
        let steady = now - ended.since >= UInt64(Limit.steadyMilliseconds) * 1000
        if steady { restartPause = Limit.restartMilliseconds.lowerBound }
        let fields = [
            ("status", String(ending.status)), ("signal", String(ending.signal)),
            ("restart_in_ms", stopping == nil ? String(restartPause) : "never"),
        ]
        journal.event("broker-ended", fields)
        pauseBroker()
        try brokerGone()
    }

    /// What was asked for in its name ends.
    func brokerGone() throws(KernelError) {
        broker = nil
        linked = false
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
