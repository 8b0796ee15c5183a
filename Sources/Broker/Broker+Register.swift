internal import Configuration
internal import Control
internal import JSONRPC
internal import Logging
internal import MCP
internal import NIOCore
internal import Policy
internal import RunCards
internal import Store
internal import SupervisorProtocol

extension Broker {
    /// Begins a registration: everything that needs no effect is checked first.
    func register(_ client: Client, _ request: ControlRequest) {
        guard let params = params(of: ConnectionsRegister.self, client, request) else { return }
        guard !isDraining else { return fail(client, request.id, .shuttingDown) }
        let connection: ManagedConnection
        do throws(Failure) {
            connection = try admitted(params, client.caller)
        } catch {
            return fail(client, request.id, error)
        }
        let registration = Registration(client, request, connection)
        client.registrations[request.id] = registration
        table(client.caller.uid).registering.insert(connection.name)
        log.info(
            "registration began",
            metadata: ["connection": "\(connection.id)", "card": "\(connection.card.name)"])
        guard connection.card.install != nil else { return startRegistered(registration) }
        install(registration)
    }

    /// Checks what is asked for against names, rights, limits, the card and the files.
    private func admitted(
        _ params: ConnectionsRegister.Params, _ caller: Caller
    ) throws(Failure) -> ManagedConnection {
        let name = params.name
        guard Broker.isConnectionName(name) else {
            throw Failure(
                .badSetting,
                "cannot register '\(sanitized(name))': its name must match "
                    + "[a-z0-9-]{1,\(Limit.connectionNameBytes)}",
                hint: "choose a name of lower-case letters, digits and hyphens with --name")
        }
        let (card, policy) = try usableCard(params.card, caller, verb: "register")
        let table = table(caller.uid)
        guard table.connections[name] == nil, !table.registering.contains(name) else {
            throw Failure(
                .connectionExists, "cannot register '\(name)': you have a connection of that name")
        }
        guard table.connections.count + table.registering.count < Limit.connectionsPerUser else {
            throw Failure(
                .limitReached,
                "cannot register '\(name)': you have \(Limit.connectionsPerUser) connections")
        }
        var credentials: [String: String] = [:]
        for (key, secret) in params.credentials { credentials[key] = secret.revealed }
        try check(params.settings, credentials, card)
        try checkDirectories(params.settings, caller, card)
        return ManagedConnection(
            caller: caller, name: name, card: card, policy: policy, settings: params.settings,
            credentials: credentials)
    }

    /// The card of that name, if this caller may use it.
    func usableCard(
        _ name: String, _ caller: Caller, verb: String
    ) throws(Failure) -> (RunCard, Policy) {
        guard let card = policies.cards[name], let policy = policies.narrowed[name] else {
            throw Failure(
                .unknownCard, "cannot \(verb) '\(sanitized(name))': there is no such run card")
        }
        let verdict = policies.access.decide(user: caller, card: name)
        guard verdict.isAllowed else { throw .denied(verb, name, verdict) }
        if card.freeCommand {
            let verdict = policies.access.mayRunCommands(caller)
            guard verdict.isAllowed else { throw .denied(verb, name, verdict) }
        }
        return (card, policy)
    }

    private func check(
        _ settings: [String: SettingValue], _ credentials: [String: String], _ card: RunCard
    ) throws(Failure) {
        do throws(SettingError) {
            _ = try card.values(settings.mapValues(\.values))
        } catch {
            throw Failure(.badSetting, error.description)
        }
        if let unknown = credentials.keys.sorted().first(where: { name in
            !card.credentials.contains { $0.name == name }
        }) {
            throw Failure(
                .badSetting,
                "cannot use credential '\(sanitized(unknown))' of card '\(card.name)': no such "
                    + "credential")
        }
        for credential in card.credentials
        where credential.required && (credentials[credential.name] ?? "").isEmpty {
            throw Failure(
                .missingCredential,
                "cannot register '\(card.name)': the credential '\(credential.name)' is missing",
                hint: credential.hint.isEmpty
                    ? "give it with --credential \(credential.name)" : credential.hint)
        }
    }

    /// The supervisor checks them too; this one answers before anything is installed.
    private func checkDirectories(
        _ settings: [String: SettingValue], _ caller: Caller, _ card: RunCard
    ) throws(Failure) {
        let directories: [RunCard.Directory]
        do throws(SettingError) {
            directories = try card.directories(settings: settings.mapValues(\.values))
        } catch {
            throw Failure(.badSetting, error.description)
        }
        for directory in directories {
            let verdict = policies.access.decide(
                user: caller, card: card.name, directory: directory.path)
            guard !verdict.isAllowed else { continue }
            var failure = Failure.denied("mount", directory.path, verdict)
            if caller.uid == 0 {
                failure.hint =
                    "root may read everything, so a rule has to name what root's tools see: "
                    + "'directories: [\(directory.path)]'"
            }
            throw failure
        }
    }

    private func install(_ registration: Registration) {
        let connection = registration.connection
        registration.report("installing \(connection.card.name)")
        markDirty(registration.client)
        let id = takeRequestID()
        requests[id] = .install(registration)
        link.send(.install(id: id, card: connection.card.name))
        // The supervisor keeps this limit itself; this one holds when the supervisor hangs.
        let timeout = TimeAmount(connection.policy.limits.installTimeout) + .seconds(30)
        registration.timer = schedule(after: timeout) { broker in
            guard broker.requests.removeValue(forKey: id) != nil else { return }
            let cause = "cannot install '\(connection.card.name)': no answer came in time"
            broker.undo(
                registration, Failure(.installFailed, cause, log: connection.errorLog))
        }
    }

    /// The packages are in place.
    func installed(_ registration: Registration) {
        registration.timer?.cancel()
        startRegistered(registration)
    }

    private func startRegistered(_ registration: Registration) {
        guard !registration.isCancelled else { return undo(registration, nil) }
        registration.report("starting \(registration.connection.name)")
        markDirty(registration.client)
        start(registration.connection, lists: true) { [self] result in
            switch result {
            case .failure(let failure): undo(registration, failure)
            case .success: storeRegistered(registration)
            }
        }
    }

    private func storeRegistered(_ registration: Registration) {
        guard !registration.isCancelled else { return undo(registration, nil) }
        registration.report("storing \(registration.connection.name)")
        markDirty(registration.client)
        let connection = registration.connection
        let row = connection.row(era: eras[connection.eraKey])
        let credentials = connection.credentials.mapValues { Array($0.utf8) }
        let bound = NIOLoopBound((self, registration), eventLoop: loop)
        store.run { try $0.insertConnection(row, credentials: credentials) }
            .hop(to: loop)
            .whenComplete { result in
                let (broker, registration) = bound.value
                switch result {
                case .success: broker.registered(registration)
                case .failure(let error):
                    broker.undo(registration, .store(error, connection: row.name))
                }
                broker.flushPeers()
            }
    }

    private func registered(_ registration: Registration) {
        let connection = registration.connection
        let client = registration.client
        let table = table(connection.caller.uid)
        table.registering.remove(connection.name)
        client.registrations[registration.request.id] = nil
        table.add(connection)
        listsChanged(connection.filledLists, of: connection)
        log.info("registered", metadata: ["connection": "\(connection.id)"])
        // Stored while it was being cancelled: it goes again, as if it had never been.
        guard !registration.isCancelled else { return remove(connection) { _ in } }
        answer(client, registration.request, connection.described.json)
    }

    /// Takes everything back; without a failure nobody waits for an answer.
    func undo(_ registration: Registration, _ failure: Failure?) {
        let connection = registration.connection
        let client = registration.client
        registration.timer?.cancel()
        connection.isGone = true
        if let server = connection.server { stop(server, .unused) }
        table(connection.caller.uid).registering.remove(connection.name)
        client.registrations[registration.request.id] = nil
        log.notice(
            "registration failed",
            metadata: [
                "connection": "\(connection.id)", "card": "\(connection.card.name)",
                "cause": "\(failure?.message ?? "cancelled")",
            ])
        guard let failure, !registration.isCancelled else {
            client.face.finished(registration.request.id)
            return
        }
        fail(client, registration.request.id, failure)
    }

    /// Whether a text can name a connection.
    static func isConnectionName(_ name: String) -> Bool {
        (1...Limit.connectionNameBytes).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

extension SettingValue {
    /// The value, or the words, as the supervisor takes them.
    var values: [String] {
        switch self {
        case .text(let text): [text]
        case .words(let words): words
        }
    }
}
