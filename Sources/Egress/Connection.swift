import Glibc
import Kernel
import NetworkRules
import SupervisorProtocol

/// One connection of a tool's, and the one that was made for it.
final class Connection: Source {
    let sandbox: Sandbox
    let number: UInt64
    /// Where it leads; what was judged and dialled.
    let target: Endpoint
    /// The names that the address had been given out for.
    let names: [HostName]
    /// Its place among the sandbox's.
    var index = 0
    /// Set until the first bytes have told whom they are for.
    var look: FirstLook?

    let tool: Descriptor
    let remote: Descriptor
    /// From the tool to the remote side.
    var outward = Half()
    /// From the remote side to the tool.
    var inward = Half()
    private(set) var isOpen = false
    private(set) var hasEnded = false
    private let began: UInt64
    private var lastMoved: UInt64
    private var lookBegan: UInt64?

    init(
        tool: consuming Descriptor, remote: consuming Descriptor, _ sandbox: Sandbox,
        _ target: Endpoint, _ names: [HostName], number: UInt64, now: UInt64
    ) {
        self.tool = tool
        self.remote = remote
        self.sandbox = sandbox
        self.target = target
        self.names = names
        self.number = number
        began = now
        lastMoved = now
    }

    /// Lets it take part.
    func begin(_ gateway: Gateway) {
        index = sandbox.connections.count
        sandbox.connections.append(self)
        gateway.connections += 1
        gateway.table.insert(self)
        do throws(KernelError) {
            try gateway.poller.addEdges(tool.raw, token: token)
            try gateway.poller.addEdges(remote.raw, token: token | 1)
            arm(gateway)
        } catch {
            end(.unreachable, errno: error.errno, gateway)
        }
    }

    override func ready(
        _ events: Poller.Events, other isRemote: Bool, _ gateway: Gateway
    ) throws(EgressError) {
        let ends = !events.isDisjoint(with: [.failed, .hungUp])
        let reads = ends || !events.isDisjoint(with: [.readable, .readEnded])
        let writes = ends || events.contains(.writable)
        if isRemote {
            if !isOpen, !opens(ends: ends, writes: writes, gateway) { return }
            if reads { inward.flow.isReadable = true }
            if writes { outward.flow.isWritable = true }
        } else {
            if reads { outward.flow.isReadable = true }
            if writes { inward.flow.isWritable = true }
        }
        pump(gateway)
    }

    /// Whether the remote side has answered the call.
    private func opens(ends: Bool, writes: Bool, _ gateway: Gateway) -> Bool {
        if ends {
            do throws(KernelError) {
                let failure = try Internet.failure(of: remote.raw)
                if failure != 0 {
                    end(.unreachable, errno: failure, gateway)
                    return false
                }
            } catch {
                end(.unreachable, errno: error.errno, gateway)
                return false
            }
        }
        isOpen = writes
        return isOpen
    }

    override func resume(_ gateway: Gateway) { pump(gateway) }

    override func due(_ gateway: Gateway) {
        let limits = sandbox.rules.limits
        if gateway.now >= lastMoved + UInt64(limits.idleMilliseconds) * 1000 {
            return end(.idle, gateway)
        }
        if let life = limits.lifeMilliseconds, gateway.now >= began + UInt64(life) * 1000 {
            return end(.life, gateway)
        }
        if let lookBegan, look != nil, gateway.now >= lookBegan + Limit.firstBytesWait {
            self.lookBegan = nil
            look?.isLate = true
            pump(gateway)
        }
        arm(gateway)
    }

    /// Sets the alarm for whatever comes first.
    func arm(_ gateway: Gateway) {
        guard !hasEnded else { return }
        let limits = sandbox.rules.limits
        var due = lastMoved + UInt64(limits.idleMilliseconds) * 1000
        if let life = limits.lifeMilliseconds { due = min(due, began + UInt64(life) * 1000) }
        if let lookBegan, look != nil { due = min(due, lookBegan + Limit.firstBytesWait) }
        gateway.deadlines.set(place, due)
    }

    /// Bytes have moved.
    func moved(_ gateway: Gateway) { lastMoved = gateway.now }

    /// The first bytes have come, and may not be the last that are needed.
    func lookBegins(_ gateway: Gateway) {
        guard lookBegan == nil, look?.isLate == false else { return }
        lookBegan = gateway.now
        arm(gateway)
    }

    /// Whether it may go on under the rules as they are now.
    func judgeAgain(_ gateway: Gateway) {
        let verdict = sandbox.rules.verdict(
            address: target.address, port: target.port, names: names,
            isHost: gateway.isHost(target))
        switch verdict {
        case .allowed: arm(gateway)
        case .denied(var denial):
            if denial.reason == .notAllowed { denial.reason = .revoked }
            end(.denied, denial: denial, gateway)
        }
    }

    /// What it has carried so far.
    var progress: EgressProgress {
        EgressProgress(
            number: number, sandbox: sandbox.number, sent: outward.flow.moved,
            received: inward.flow.moved)
    }

    /// Ends both sides: as their sockets go away they are reset, unless both have finished. A
    /// denial is told first.
    func end(
        _ cause: EgressEnding.Cause, errno: CInt = 0, denial: Denial? = nil, _ gateway: Gateway
    ) {
        guard !hasEnded else { return }
        hasEnded = true
        gateway.outbox.add(
            .ended(
                EgressEnding(
                    number: number, sandbox: sandbox.number, time: System.wallMilliseconds * 1000,
                    sent: outward.flow.moved, received: inward.flow.moved,
                    microseconds: gateway.now - began, cause: cause, errno: errno,
                    denial: denial)))
        if denial != nil { gateway.flush() }
        if cause == .finished {
            for socket in [tool.raw, remote.raw] {
                do throws(KernelError) {
                    try Internet.setResetOnClose(socket, false)
                } catch {
                    // It is reset then, after both sides had all.
                }
            }
        }
        outward.releasePipe(gateway)
        inward.releasePipe(gateway)
        sandbox.remove(self)
        gateway.connections -= 1
        gateway.forget(self)
    }
}
