import Kernel
import NetworkRules
import SupervisorProtocol

extension Gateway {
    /// A new way to the broker; what waits goes there.
    func adopt(broker socket: consuming Descriptor) throws(EgressError) {
        if let broker { dropBroker(broker) }
        let link = BrokerLink(socket)
        do throws(KernelError) {
            try link.socket.setNonblocking(true)
            table.insert(link)
            try poller.addEdges(link.socket.raw, token: link.token)
        } catch {
            throw EgressError("talk to", "corral-broker", error)
        }
        broker = link
        flush()
    }

    func open(_ opening: EgressSandbox, _ doors: consuming Doors) throws(EgressError) {
        guard sandboxes[opening.sandbox] == nil, sandboxes.count < Limit.sandboxes else {
            throw EgressError(
                "open", "sandbox \(opening.sandbox)", "order", "it is there, or they are too many")
        }
        let sandbox = Sandbox(opening, day: dayBudget(of: opening.owner), now: now)
        sandbox.doors = doors.sources(sandbox)
        do throws(KernelError) {
            for door in sandbox.doors {
                try door.socket.setNonblocking(true)
                if door is Listener { try prepare(listener: door.socket.raw) }
                table.insert(door)
                try poller.add(door.socket.raw, token: door.token)
            }
        } catch {
            throw EgressError("open", "sandbox \(opening.sandbox)", error)
        }
        sandboxes[opening.sandbox] = sandbox
    }

    /// What is set here, each connection inherits. A gateway that dies resets what it carried: a
    /// half answer must not look like a whole one.
    private func prepare(listener raw: CInt) throws(KernelError) {
        try Internet.setNoDelay(raw)
        try Internet.setResetOnClose(raw, true)
    }

    /// The new rules hold for all that is decided from now on, and for what is open: nothing else
    /// happens between the two.
    func change(_ number: UInt64, _ rules: EgressRules) throws(EgressError) {
        // It may have ended while the order was on its way; nothing of it is open then.
        guard let sandbox = sandboxes[number] else { return }
        sandbox.rules = rules
        sandbox.bucket.change(perSecond: rules.limits.connectionsPerSecond)
        for connection in sandbox.connections { connection.judgeAgain(self) }
    }

    func close(_ number: UInt64) throws(EgressError) {
        guard let sandbox = sandboxes.removeValue(forKey: number) else { return }
        sandbox.isClosed = true
        for door in sandbox.doors { forget(door) }
        sandbox.doors = []
        for connection in sandbox.connections { connection.end(.sandboxEnded, self) }
        for stream in sandbox.streams { stream.end(self) }
        let isShared = sandboxes.values.contains { $0.owner == sandbox.owner }
        if !isShared, sandbox.day.isUnused(on: day) { days[sandbox.owner] = nil }
    }
}
