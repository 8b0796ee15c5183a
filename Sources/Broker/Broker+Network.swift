internal import Configuration
internal import Control
internal import Logging
internal import NIOCore
internal import NetworkRules
internal import Policy
internal import RunCards
internal import Store
internal import SupervisorProtocol

extension Broker {
    /// The gateway has decided something: notes it, and tells the calls that it may be for.
    func decided(_ decision: EgressDecision) {
        if network.sandboxes[decision.sandbox] == nil { makeRoomForSandbox() }
        var bounds = network.sandboxes[decision.sandbox] ?? SandboxDecisions()
        defer { network.sandboxes[decision.sandbox] = bounds }
        let owner = owner(of: decision)
        let isOpened = decision.kind == .connect && decision.denial == nil
        let kind = SandboxDecisions.Kind(
            kind: decision.kind, name: decision.name, address: decision.address,
            port: decision.port, denial: decision.denial)
        // Each connection has an end of its own; everything else may be the same as before.
        if !isOpened, let known = bounds.known[kind] {
            bounds.known[kind]?.count += 1
            return change(
                .repeated(
                    number: known.number, changed: network.takeChange(), count: known.count + 1),
                of: owner)
        }
        guard bounds.rows.take() else {
            network.missed += 1
            if isOpened { opened(decision, nil, "", owner) }
            if decision.denial != nil { eachCall(of: decision.sandbox) { $0.more += 1 } }
            return
        }
        let (number, id) = network.takeNumber()
        if isOpened {
            opened(decision, number, id, owner)
        } else if bounds.known.count < Limit.decisionKinds {
            bounds.known[kind] = SandboxDecisions.Known(number: number, count: 1)
        }
        let place = place(of: decision, owner)
        change(.decided(row(decision, number, id, place, owner)), of: owner)
        guard let denial = decision.denial else { return }
        let told = CallNetwork.Denied(
            denial, id: id, address: decision.address, port: decision.port, name: decision.name,
            place: place)
        eachCall(of: decision.sandbox) { network in
            if network.denied.count < Limit.denialsPerCall {
                network.denied.append(told)
            } else {
                network.more += 1
            }
        }
        logDenial(decision, told, owner)
    }

    /// Does something to what is known of each call in flight, or of the command.
    private func eachCall(of sandbox: UInt64, _ body: (inout CallNetwork) -> Void) {
        if let run = runs[sandbox] { body(&run.network) }
        guard let server = servers[sandbox] else { return }
        let isShared = server.calls.count + server.unfinished.count > 1
        for number in server.calls.keys {
            guard var known = server.calls[number]?.network else { continue }
            body(&known)
            known.shared = known.shared || isShared
            server.calls[number]?.network = known
        }
    }

    /// What is the same as before is told anew with the next call.
    func networkTurned(at server: Server) {
        guard server.isNetworked else { return }
        network.sandboxes[server.sandbox]?.known.removeAll()
    }

    /// Forgets what bounded sandboxes that have ended, when there are too many.
    private func makeRoomForSandbox() {
        guard network.sandboxes.count >= Limit.networkSandboxes else { return }
        for sandbox in network.sandboxes.keys where servers[sandbox] == nil && runs[sandbox] == nil
        {
            network.sandboxes[sandbox] = nil
        }
    }

    private func opened(
        _ decision: EgressDecision, _ number: Int?, _ id: String, _ owner: SandboxOwner
    ) {
        guard network.open.count < Limit.openConnections else {
            network.missed += 1
            return
        }
        network.open[decision.number] = OpenConnection(
            decision: decision, number: number, id: id, user: owner.user,
            connection: owner.connection, subject: owner.subject)
    }

    /// A connection is over; where a refusal ended it, that is a decision too.
    func connectionEnded(_ ending: EgressEnding) {
        guard let open = network.open.removeValue(forKey: ending.number),
            open.decision.sandbox == ending.sandbox
        else { return }
        let bytes = Int(clamping: ending.sent) + Int(clamping: ending.received)
        if bytes > 0, !open.decision.owner.isEmpty {
            let time = Timestamp(milliseconds: Int(clamping: ending.time / 1000))
            change(.carried(owner: open.decision.owner, day: time.day, bytes: bytes))
        }
        note(
            NetworkEnding(
                sent: Int(clamping: ending.sent), received: Int(clamping: ending.received),
                microseconds: Int(clamping: ending.microseconds), cause: ending.cause.name,
                errno: Int(ending.errno)), of: open)
        guard let denial = ending.denial else { return }
        var decision = open.decision
        decision.denial = denial
        decision.time = ending.time
        decision.rule = ""
        decision.place = denial.place
        decided(decision)
    }

    /// The gateway has gone, and with it a connection.
    func connectionLost(_ open: OpenConnection) {
        let lasted = (NIODeadline.now() - open.began).nanoseconds / 1000
        note(
            NetworkEnding(
                sent: Int(clamping: open.sent), received: Int(clamping: open.received),
                microseconds: Int(lasted), cause: "gateway_lost"), of: open)
    }

    private func note(_ ending: NetworkEnding, of open: OpenConnection) {
        guard let number = open.number else { return }
        change(.ended(number: number, changed: network.takeChange(), ending))
        tellNetwork(user: open.user, connection: open.connection)
    }

    private func change(_ change: NetworkChange, of owner: SandboxOwner) {
        self.change(change)
        tellNetwork(user: owner.user, connection: owner.connection)
    }

    /// Where what decided stands; where nothing did, what would have had to.
    private func place(of decision: EgressDecision, _ owner: SandboxOwner) -> String {
        if let place = decision.denial?.place, !place.isEmpty { return place }
        if !decision.place.isEmpty { return decision.place }
        guard decision.denial?.reason == .notAllowed, let policy = owner.policy else { return "" }
        return policy.allowPlace(owner.origin)
    }

    private func row(
        _ decision: EgressDecision, _ number: Int, _ id: String, _ place: String,
        _ owner: SandboxOwner
    ) -> NetworkRow {
        let server = servers[decision.sandbox]
        let calls = server?.calls ?? [:]
        var call: UUID?
        if let only = calls.keys.first, calls.count == 1, server?.unfinished.isEmpty == true {
            call = server?.identify(only)
        }
        let tools = Set(calls.values.map { sanitized($0.tool) }).sorted().prefix(3)
        return NetworkRow(
            number: number, id: id, changed: network.takeChange(),
            time: Timestamp(milliseconds: Int(clamping: decision.time / 1000)),
            user: owner.user.map(String.init) ?? "", origin: owner.origin,
            subject: owner.subject, connection: owner.connection?.id,
            policy: owner.policy?.name ?? "", sandbox: Int(clamping: decision.sandbox),
            call: call, calls: calls.count, tools: tools.joined(separator: ", "),
            kind: decision.kind == .connect ? "connect" : "resolve", name: decision.name,
            address: decision.address.map { "\($0)" } ?? "", port: Int(decision.port),
            reason: decision.denial.map { NetworkReason($0.reason).rawValue },
            set: decision.denial?.set?.rawValue,
            rule: decision.rule, place: place)
    }

    private func logDenial(
        _ decision: EgressDecision, _ told: CallNetwork.Denied, _ owner: SandboxOwner
    ) {
        guard network.lines.take() else {
            network.unlogged += 1
            return
        }
        var metadata: Logger.Metadata = [
            "id": "\(told.id)", "destination": "\(sanitized(told.destination))",
            "reason": "\(told.set ?? told.reason.rawValue)", "sandbox": "\(decision.sandbox)",
            "calls": "\(servers[decision.sandbox]?.calls.count ?? 0)",
        ]
        if !decision.name.isEmpty { metadata["name"] = "\(sanitized(decision.name))" }
        if let file = told.file { metadata["rule"] = "\(file):\(told.line ?? 0)" }
        if let user = owner.user { metadata["uid"] = "\(user)" }
        if let connection = owner.connection { metadata["connection"] = "\(connection.id)" }
        if network.unlogged > 0 { metadata["unlogged"] = "\(network.unlogged)" }
        network.unlogged = 0
        log.notice("network denied", metadata: metadata)
    }
}

extension Server {
    /// A call's identity in the ledger, made when it is first asked for.
    func identify(_ number: Int) -> UUID? {
        if let identity = calls[number]?.identity { return identity }
        guard calls[number] != nil else { return nil }
        let identity = UUID()
        calls[number]?.identity = identity
        return identity
    }
}

extension Policy {
    /// Where destinations are granted, `FILE:LINE`.
    func allowPlace(_ origin: NetworkRow.Origin) -> String {
        let rules = origin == .install ? installRules : egressRules
        return rules.limitPlaces["network.allow"] ?? ""
    }
}
