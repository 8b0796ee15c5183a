import Glibc
import Kernel
import SupervisorProtocol

extension Supervisor {
    /// Whether one should run and does not; without a broker it is there only for a command that
    /// needs it.
    var gatewayIsWanted: Bool {
        stopping == nil && gateway.process == nil && (door != nil || !gateway.sandboxes.isEmpty)
    }

    func startGatewayIfDue() throws(KernelError) {
        guard gatewayIsWanted, gateway.restarts.isDue else { return }
        do throws(KernelError) {
            try startGateway()
        } catch {
            journal.event("gateway-not-started", [("cause", error.description)])
            _ = gateway.restarts.wait()
        }
    }

    private func startGateway() throws(KernelError) {
        let started = try gateway.seat.start(programs.gateway, through: programs.launcher, [])
        try poller.add(started.link.raw, token: Source.gatewayLink.token)
        gateway.isWatched = true
        if let raw = started.pidfd { try poller.add(raw, token: Source.gateway.token) }
        journal.event("gateway-started", [("pid", String(started.pid ?? 0))])
        try talk { () throws(KernelError) in try gateway.begin(started) }
        try introduce()
    }

    /// Gives gateway and broker a way to each other, whenever either is a new one.
    func introduce() throws(KernelError) {
        guard gateway.process != nil, isGreeted else { return }
        let pair = try Socket.seqpacketPair()
        try send(.egress, descriptors: [pair.ours.raw])
        try pair.split { _, theirs throws(KernelError) in
            let end = Descriptor.Shared(theirs)
            try talk { () throws(KernelError) in try gateway.introduce(to: end) }
        }
    }

    /// The gateway serves a sandbox from now on; until then nobody accepts what is dialled in it.
    func serve(_ sandbox: RunningSandbox) throws(KernelError) {
        // One that waits has nobody in it who could dial, and no rules yet.
        guard let listeners = sandbox.listeners, !sandbox.isSpare else { return }
        try talk { () throws(KernelError) in
            try gateway.open(sandbox.id, sandbox.grant, listeners)
        }
    }

    /// Gives the gateway the host's resolver files; when they cannot be opened it keeps its own.
    func giveFiles() {
        do throws(KernelError) {
            try gateway.giveFiles()
        } catch {
            journal.event("resolver-files", [("cause", error.description)])
        }
    }

    /// Tells the gateway something; one that does not take it is stuck, and is replaced.
    func talk(_ body: () throws(KernelError) -> Void) throws(KernelError) {
        do throws(KernelError) {
            try body()
        } catch {
            journal.event("gateway-deaf", [("cause", error.description)])
            try gateway.process?.signal(SIGKILL)
        }
    }

    /// Its process has ended: sandboxes have no network until there is another.
    func gatewayEnded() throws(KernelError) {
        guard let ended = gateway.process, let ending = try ended.child?.reap() ?? nil else {
            return
        }
        if let raw = ended.pidfd { try poller.remove(raw) }
        if gateway.isWatched { try poller.remove(ended.link.raw) }
        gateway.isWatched = false
        gateway.end()
        let pause = gateway.restarts.wait(since: ended.since)
        journal.event(
            "gateway-ended",
            [
                ("status", String(ending.status)), ("signal", String(ending.signal)),
                ("restart_in_ms", stopping == nil ? String(pause) : "never"),
            ])
        try answerReloads()
    }

    /// Reads what the gateway says; one that breaks the protocol is ended.
    func readReplies() throws(KernelError) {
        for _ in 0..<Limit.requestsPerTurn {
            guard let process = gateway.process, gateway.isWatched,
                let datagram = try process.receive()
            else { break }
            guard !datagram.bytes.isEmpty else {
                gateway.isWatched = false
                try poller.remove(process.link.raw)
                // It ends, or it has closed its link and is of no use.
                return try process.signal(SIGKILL)
            }
            do throws(DecodingError) {
                guard !datagram.truncated else { throw .tooLong }
                switch try EgressReply(decoding: datagram.bytes) {
                case .hello(SupervisorProtocol.Limit.version): break
                case .hello: throw .badValue
                case .applied(let serial): gateway.applied(serial)
                case .filesChanged: giveFiles()
                }
            } catch {
                journal.event("gateway-protocol-error", [("cause", "\(error)")])
                return try process.signal(SIGKILL)
            }
        }
        try answerReloads()
    }
}
