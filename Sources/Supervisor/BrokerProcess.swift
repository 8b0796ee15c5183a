import Configuration
import Glibc
import Kernel
import SupervisorProtocol

/// The unprivileged half, as the supervisor sees it while it runs.
final class BrokerProcess {
    let child: Child
    /// The way to talk to it.
    let link: Descriptor
    /// When it was started, by the monotonic clock in microseconds.
    let since: UInt64

    init(child: consuming Child, link: consuming Descriptor) {
        self.child = child
        self.link = link
        since = System.monotonicMicroseconds
    }
}

extension Supervisor {
    func startBrokerIfDue() throws(KernelError) {
        guard stopping == nil, broker == nil, System.monotonicMicroseconds >= restartAt else {
            return
        }
        do throws(KernelError) {
            try startBroker()
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

    private func startBroker() throws(KernelError) {
        let pair = try Socket.seqpacketPair()
        // At most 32 KiB, which a pipe holds without a reader.
        let filter = try Pipe()
        try filter.write.write(brokerFilter, to: "filter")
        let range = settings.sandboxUIDs
        let child = try Child.spawn(
            programs.launcher,
            arguments: [
                "drop", String(brokerAccount.uid), String(brokerAccount.gid), programs.broker,
                "--control-fd", "3", "--supervisor-fd", "4", "--filter-fd", "5",
                "--sandbox-uids", "\(range.first):\(range.count)", "--state", instance.brokerState,
                "--policies", settings.policies, "--runcards", settings.runcards,
            ],
            environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"],
            descriptors: [listener.raw, pair.theirs.raw, filter.read.raw])
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
        guard let ended = broker, let ending = try ended.child.reap() else { return }
        try poller.remove(ended.child.pidfd.raw)
        if linked { try poller.remove(ended.link.raw) }
        let now = System.monotonicMicroseconds
        let steady = now - ended.since >= UInt64(Limit.steadyMilliseconds) * 1000
        if steady { restartPause = Limit.restartMilliseconds.lowerBound }
        let fields = [
            ("status", String(ending.status)), ("signal", String(ending.signal)),
            ("restart_in_ms", stopping == nil ? String(restartPause) : "never"),
        ]
        journal.event("broker-ended", fields)
        broker = nil
        linked = false
        pauseBroker()
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
            try broker?.child.signal(SIGKILL)
        }
    }
}
