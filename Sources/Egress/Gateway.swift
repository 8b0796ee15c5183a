import Glibc
public import Kernel
import NetworkRules
import SupervisorProtocol
import Wire

/// The one way out of all sandboxes: one thread, one loop, nothing that blocks.
public final class Gateway {
    let poller: Poller
    let supervisor: SupervisorLink
    var routes: Routes
    let files: ResolverFiles
    var broker: BrokerLink?
    var outbox = Outbox()
    var table = Table()
    var deadlines = Deadlines()
    var sandboxes: [UInt64: Sandbox] = [:]
    var days: [String: DayBudget] = [:]
    var lookups: [DNSQuestion: Lookup] = [:]
    var pipes = Pipes()
    /// Room for bytes on their way; nobody keeps it across a call.
    var room = [UInt8](repeating: 0, count: Limit.chunkBytes)
    /// Connections that descriptors suffice for.
    let capacity: Int
    var connections = 0
    /// CLOCK_MONOTONIC in microseconds, as it was when this turn began.
    private(set) var now: UInt64
    /// Days since 1970, UTC.
    private(set) var day: UInt64
    private var waiting: [Source] = []
    private var lastDecision: UInt64 = 0

    /// Takes over the way to the supervisor. What it opens here is all that it opens but sockets
    /// and pipes, so a system call filter can be loaded afterwards.
    ///
    /// - Parameter descriptors: how many descriptors this process may have.
    public init(
        supervisor: consuming Descriptor, routes: consuming Routes, files: ResolverFiles,
        descriptors: UInt64
    ) throws(EgressError) {
        do throws(KernelError) {
            poller = try Poller()
            try supervisor.setNonblocking(true)
        } catch {
            throw EgressError("begin", "corral-egress", error)
        }
        self.supervisor = SupervisorLink(supervisor)
        self.routes = routes
        self.files = files
        capacity = max(1, (Int(clamping: descriptors) - Limit.descriptorsKept) / 2)
        now = System.monotonicMicroseconds
        day = System.wallMilliseconds / 86_400_000
    }

    /// Serves until the supervisor closes its end.
    public func run() throws(EgressError) {
        do throws(KernelError) {
            table.insert(supervisor)
            try poller.add(supervisor.socket.raw, token: supervisor.token)
        } catch {
            throw EgressError("listen to", "corrald", error)
        }
        var batch = Poller.Batch(capacity: Limit.readyBatch)
        while !supervisor.hasEnded {
            do throws(KernelError) {
                try poller.wait(into: &batch, milliseconds: timeout)
            } catch {
                throw EgressError("wait with", "epoll", error)
            }
            try turn(batch)
        }
    }

    private func turn(_ batch: Poller.Batch) throws(EgressError) {
        now = System.monotonicMicroseconds
        day = System.wallMilliseconds / 86_400_000
        for index in 0..<batch.count {
            let token = batch.token(index)
            guard let source = table.find(token & ~1) else { continue }
            try source.ready(batch.events(index), other: token & 1 == 1, self)
        }
        let resumed = waiting
        waiting.removeAll(keepingCapacity: true)
        for source in resumed {
            source.waitsForTurn = false
            source.resume(self)
        }
        while let place = deadlines.pop(at: now) { table.at(place)?.due(self) }
        flush()
    }

    private var timeout: Int? {
        guard waiting.isEmpty else { return 0 }
        // Rounded up: what is due is due when it is looked at.
        return deadlines.next.map { $0 > now ? Int(($0 - now + 999) / 1000) : 0 }
    }

    /// Gives a source another turn after all others had theirs.
    func again(_ source: Source) {
        guard !source.waitsForTurn else { return }
        source.waitsForTurn = true
        waiting.append(source)
    }

    /// Forgets a source; its descriptors are its own to close.
    func forget(_ source: Source) {
        guard source.token != 0 else { return }
        deadlines.remove(source.place)
        table.remove(source)
    }

    /// A number for a decision.
    func nextDecision() -> UInt64 {
        lastDecision += 1
        return lastDecision
    }

    /// Whether an address is the host's own; yes when the kernel does not say.
    func isHost(_ endpoint: Endpoint) -> Bool {
        do throws(KernelError) {
            return try routes.isHost(endpoint)
        } catch {
            return true
        }
    }

    /// What an owner's sandboxes have used of the day.
    func dayBudget(of owner: String) -> DayBudget {
        if let known = days[owner] { return known }
        let new = DayBudget(day: day)
        days[owner] = new
        return new
    }
}

extension Gateway {
    /// Sends the broker what it can take.
    func flush() {
        guard let broker, broker.isWritable else { return }
        while let datagram = outbox.next {
            do throws(KernelError) {
                try Socket.send(datagram, over: broker.socket.raw)
                outbox.sent()
            } catch {
                if error.errno == EAGAIN {
                    broker.isWritable = false
                } else {
                    dropBroker(broker)
                }
                return
            }
        }
    }

    /// The broker is gone, or makes no sense: corrald will send another.
    func dropBroker(_ link: BrokerLink) {
        guard broker === link else { return }
        forget(link)
        broker = nil
    }

    func take(notice: EgressNotice) {
        switch notice {
        case .callBegan(let sandbox): sandboxes[sandbox]?.calls.began()
        case .callEnded(let number):
            guard let sandbox = sandboxes[number] else { return }
            sandbox.calls.ended(limit: sandbox.rules.limits.bytesPerCall)
        case .spent(let sandbox, let bytes): sandboxes[sandbox]?.day.add(bytes, day: day)
        case .flush(let serial): answer(serial)
        case .measure(let number, let serial):
            for connection in sandboxes[number]?.connections ?? [] {
                outbox.add(.moved(connection.progress))
            }
            answer(serial)
        }
    }

    private func answer(_ serial: UInt64) {
        outbox.add(.flushed(serial: serial), isAnswer: true)
        // One that asks and never reads is no broker.
        if outbox.count > 2 * Limit.events, let broker { dropBroker(broker) }
    }
}

extension Gateway {
    /// How many descriptors it can use.
    public static let descriptors = Limit.descriptors
}
