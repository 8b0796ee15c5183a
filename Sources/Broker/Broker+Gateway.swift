internal import Configuration
internal import Control
internal import Kernel
internal import Logging
internal import NIOCore
internal import Policy
internal import Store
internal import SupervisorProtocol

extension Broker {
    /// There is a gateway; what its predecessor told is over.
    func gatewayCame(_ descriptors: Descriptors) {
        guard descriptors.count == 1, let raw = descriptors.take().first else { return }
        if let link = network.link {
            drain(link, atMost: Limit.egressDrain)
            gatewayGone(link, nil)
        }
        let link: EgressLink
        do throws(KernelError) {
            link = try EgressLink(owning: raw)
        } catch {
            return log.error("gateway unusable", metadata: ["cause": "\(error)"])
        }
        network.gateway = .up(link)
        log.info("gateway came")
        let bound = NIOLoopBound((self, link), eventLoop: loop)
        link.start { [loop] in
            do {
                return try loop.submit { bound.value.0.gatewayTold(bound.value.1) }.wait()
            } catch {
                // The loop has ended, and the broker with it.
                return false
            }
        }
        greetGateway(link)
    }

    /// Tells a gateway what it cannot know: calls in flight, and what has been used today.
    private func greetGateway(_ link: EgressLink) {
        for server in servers.values where server.countsCallBytes && !server.calls.isEmpty {
            notify(.callBegan(sandbox: server.sandbox))
        }
        recordNetworkNow()
        let day = Timestamp.now().day
        let bound = NIOLoopBound((self, link), eventLoop: loop)
        store.run { try $0.networkDay(day) }.hop(to: loop).whenComplete { result in
            let (broker, link) = bound.value
            guard broker.network.link === link else { return }
            do {
                broker.network.spent = (day, try result.get())
            } catch {
                broker.log.error("day's bytes not known", metadata: ["cause": "\(error)"])
            }
            for server in broker.servers.values { broker.tellSpent(of: server) }
            for (sandbox, run) in broker.runs { broker.tellSpent(sandbox, run) }
        }
    }

    /// Tells the gateway what a server's connection has used today, when that is limited.
    func tellSpent(of server: Server) {
        guard server.connection.policy.network.bytesPerDay != nil else { return }
        tellSpent(server.sandbox, owner: server.connection.id.description)
    }

    /// Tells the gateway what a user's commands have used today, when that is limited.
    func tellSpent(_ sandbox: UInt64, _ run: CommandRun) {
        guard policies.policies[run.policy]?.network.bytesPerDay != nil else { return }
        tellSpent(sandbox, owner: "run \(run.client.caller.user)")
    }

    private func tellSpent(_ sandbox: UInt64, owner: String) {
        // Once: the gateway adds what it is told to what it counts of an owner itself.
        guard network.spent.day == Timestamp.now().day,
            let bytes = network.spent.bytes.removeValue(forKey: owner)
        else { return }
        notify(.spent(sandbox: sandbox, bytes: UInt64(clamping: bytes)))
    }

    /// The gateway has told something, or gone; false when nothing more is read from it.
    private func gatewayTold(_ link: EgressLink) -> Bool {
        guard network.link === link else { return false }
        drain(link, atMost: Limit.egressTurn)
        flushPeers()
        return network.link === link
    }

    /// Reads what was decided about a server before now: what its answer follows from has been told
    /// before the server could see it, so it lies in the socket's queue and nobody need be asked.
    func drainNetwork(of server: Server) {
        if server.isNetworked { drainNetwork() }
    }

    /// Reads what has been told before now.
    func drainNetwork() {
        guard let link = network.link else { return }
        drain(link, atMost: Limit.egressDrain)
    }

    private func drain(_ link: EgressLink, atMost count: Int) {
        do throws(EgressLink.Over) {
            for read in 0..<count {
                guard let event = try link.next() else { return }
                if read >= Limit.egressCongestion { network.isCongested = true }
                try receive(event)
            }
        } catch {
            gatewayGone(link, error.cause)
        }
    }

    private func receive(_ event: EgressEvent) throws(EgressLink.Over) {
        switch event {
        case .decided(let decision):
            guard decision.name.utf8.count <= Limit.egressNameBytes else {
                throw EgressLink.Over(cause: "a name was too long")
            }
            decided(decision)
        case .ended(let ending): connectionEnded(ending)
        case .moved(let progress):
            guard network.open[progress.number]?.decision.sandbox == progress.sandbox else {
                return
            }
            network.open[progress.number]?.sent = progress.sent
            network.open[progress.number]?.received = progress.received
        case .lost(let count):
            network.missed += Int(clamping: count)
            log.warning("decisions lost", metadata: ["count": "\(count)"])
        case .flushed(let serial):
            guard let then = network.measures.removeValue(forKey: serial) else {
                throw EgressLink.Over(cause: "an answer to nothing")
            }
            network.isCongested = false
            then()
        }
    }

    /// Goes on once everything has been read that was decided before now, also what the gateway
    /// held back because the socket was full; or after a while.
    func settleNetwork(_ then: @escaping () -> Void) {
        guard network.link != nil, network.measures.count < Limit.supervisorRequests else {
            return then()
        }
        network.lastSerial += 1
        let serial = network.lastSerial
        let timer = schedule(after: Limit.egressPatience) { broker in
            guard broker.network.measures[serial] != nil else { return }
            broker.network.measures[serial] = {}
            then()
        }
        network.measures[serial] = {
            timer.cancel()
            then()
        }
        notify(.flush(serial: serial))
    }

    /// No more comes from a gateway: until there is another, sandboxes have no network.
    private func gatewayGone(_ link: EgressLink, _ cause: String?) {
        guard network.link === link else { return }
        link.close()
        network.gateway = .gone
        network.notices = []
        let open = network.open
        network.open = [:]
        for connection in open.values { connectionLost(connection) }
        for server in servers.values where server.isNetworked {
            for number in server.calls.keys {
                server.calls[number]?.network.unavailable = true
            }
        }
        network.isCongested = false
        let waiting = network.measures
        network.measures = [:]
        for then in waiting.values { then() }
        log.error(
            "gateway gone",
            metadata: ["cause": "\(cause ?? "it closed its end")", "open": "\(open.count)"])
    }

    /// Tells the gateway something; it waits while the gateway does not read.
    func notify(_ notice: EgressNotice) {
        guard let link = network.link else { return }
        guard network.notices.count < Limit.egressNotices else {
            return gatewayGone(link, "it does not read")
        }
        network.notices.append(notice)
        guard network.notices.count == 1 else { return }
        sendNotices(link)
    }

    private func sendNotices(_ link: EgressLink) {
        guard network.link === link else { return }
        do throws(EgressLink.Over) {
            while let notice = network.notices.first {
                guard try link.send(notice) else {
                    _ = schedule(after: Limit.egressRetry) { $0.sendNotices(link) }
                    return
                }
                network.notices.removeFirst()
            }
        } catch {
            gatewayGone(link, error.cause)
        }
    }

    /// Ends the conversation with the gateway, at the broker's own end.
    func closeNetwork() -> EgressLink? {
        let link = network.link
        link?.close()
        network.gateway = .gone
        return link
    }
}

extension Timestamp {
    /// The day since 1970, UTC.
    var day: Int { milliseconds / 86_400_000 }
}

extension Server {
    /// Whether it has a way out through the gateway.
    var isNetworked: Bool { connection.policy.network.isNetworked }

    /// Whether the gateway counts the bytes of each of its calls.
    var countsCallBytes: Bool { connection.policy.network.bytesPerCall != nil }
}
