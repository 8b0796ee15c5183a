internal import Configuration
internal import Control
internal import Policy
internal import RunCards
internal import Store
internal import SupervisorProtocol

/// Whose a sandbox is, and what it is for.
struct SandboxOwner {
    var user: UInt32?
    let origin: NetworkRow.Origin
    let subject: String
    var connection: ManagedConnection?
    var policy: Policy?
}

extension Broker {
    /// Whose a sandbox is: as the broker knows it, and only where it does not, as was told.
    func owner(of decision: EgressDecision) -> SandboxOwner {
        if let server = servers[decision.sandbox] { return SandboxOwner(server.connection) }
        if let run = runs[decision.sandbox] {
            return SandboxOwner(
                user: run.client.caller.uid, origin: .run, subject: run.name,
                policy: policies.policies[run.policy])
        }
        let words = decision.owner.split(separator: " ", maxSplits: 1)
        switch (words.first, words.last) {
        case ("run", let user?):
            return SandboxOwner(
                user: runner(named: String(user)), origin: .run, subject: "a command")
        case ("install", let name?):
            let card = String(name)
            return SandboxOwner(
                user: installer(of: card), origin: .install, subject: card,
                policy: policies.narrowed[card])
        default:
            guard let connection = connection(withID: decision.owner) else {
                return SandboxOwner(user: nil, origin: .connection, subject: "")
            }
            return SandboxOwner(connection)
        }
    }

    /// A user by name who runs a command, or waits for one to start.
    private func runner(named name: String) -> UInt32? {
        for case .run(let run) in requests.values where run.client.caller.user == name {
            return run.client.caller.uid
        }
        return clients.values.first { $0.caller.user == name }?.caller.uid
    }

    /// Who waits for a card's packages.
    private func installer(of card: String) -> UInt32? {
        for case .install(let registration) in requests.values
        where registration.connection.card.name == card {
            return registration.client.caller.uid
        }
        return nil
    }

    /// A connection by its identity: one that is registered, or whose server is being started.
    private func connection(withID id: String) -> ManagedConnection? {
        for case .start(let start) in requests.values where start.connection.id.description == id {
            return start.connection
        }
        for server in servers.values where server.connection.id.description == id {
            return server.connection
        }
        for table in users.values {
            for one in table.connections.values where one.id.description == id { return one }
        }
        return nil
    }
}

extension SandboxOwner {
    init(_ connection: ManagedConnection) {
        self.init(
            user: connection.caller.uid, origin: .connection, subject: connection.name,
            connection: connection, policy: connection.policy)
    }
}
