internal import Configuration
internal import Control
internal import JSONRPC
internal import MCP
internal import NIOCore
internal import Policy
internal import RunCards

extension Broker {
    /// Answers a `corral/…` request.
    func control(_ client: Client, _ request: ControlRequest) {
        guard client.face.inFlightCount <= MCP.Limit.callsPerClient else {
            return fail(client, request.id, .crowded("answer", request.method))
        }
        switch request.method {
        case Whoami.method: whoami(client, request)
        case DaemonStatus.method: status(client, request)
        case SessionRestrict.method: restrict(client, request)
        case CardsList.method: listCards(client, request)
        case CardsGet.method: getCard(client, request)
        case ConnectionsRegister.method: register(client, request)
        case ConnectionsList.method: listConnections(client, request)
        case ConnectionsGet.method:
            guard let connection = named(ConnectionsGet.self, client, request) else { return }
            answer(client, request, connection.described.json)
        case ConnectionsRemove.method: remove(client, request)
        case ConnectionsTest.method: test(client, request)
        case ConnectionsRestart.method: restart(client, request)
        case ConnectionsPosture.method: posture(client, request)
        case ConnectionsLogs.method: logs(client, request)
        case ConnectionsNetwork.method: network(client, request)
        case Why.method: why(client, request)
        case Reload.method: reload(client, request)
        case Run.method: run(client, request)
        case RunSignal.method: signal(client, request)
        default:
            fail(
                client, request.id,
                Failure(
                    code: ProtocolErrorCode.methodNotFound,
                    message: "Method not found: '\(sanitized(request.method))'"))
        }
    }

    /// The typed params of a request; nil when they were refused.
    func params<Method: ControlMethod>(
        of method: Method.Type, _ client: Client, _ request: ControlRequest
    ) -> Method.Params? {
        do throws(ControlError) {
            return try Method.Params(json: request.params)
        } catch {
            fail(
                client, request.id,
                Failure(
                    code: ProtocolErrorCode.invalidParams,
                    message: "Invalid params: \(sanitized(error.description))"))
            return nil
        }
    }

    /// The caller's connection that a request names; nil when there is none, which was answered.
    func named<Method: ControlMethod>(
        _ method: Method.Type, _ client: Client, _ request: ControlRequest
    ) -> ManagedConnection? where Method.Params == NameParams {
        guard let params = params(of: method, client, request) else { return nil }
        return connection(params.name, client, request)
    }

    /// The caller's connection of that name; nil when there is none, which was answered.
    func connection(
        _ name: String, _ client: Client, _ request: ControlRequest
    ) -> ManagedConnection? {
        if client.restriction ?? name == name,
            let connection = table(client.caller.uid).connections[name]
        {
            return connection
        }
        fail(
            client, request.id,
            Failure(
                .unknownConnection,
                "cannot find '\(sanitized(String(name.prefix(Limit.quotedBytes))))': you have no "
                    + "connection of that name"))
        return nil
    }

    private func whoami(_ client: Client, _ request: ControlRequest) {
        guard params(of: Whoami.self, client, request) != nil else { return }
        let caller = client.caller
        answer(
            client, request,
            Whoami.Result(
                user: caller.user, uid: Int(caller.uid), groups: caller.groups,
                cards: usableCards(caller).map(\.name),
                mayRunCommands: policies.access.mayRunCommands(caller).isAllowed,
                run: policies.policies.keys.sorted().filter {
                    policies.access.decide(user: caller, policy: $0).isAllowed
                },
                admin: caller.uid == 0, connectionsMax: Limit.connectionsPerUser
            ).json)
    }

    private func status(_ client: Client, _ request: ControlRequest) {
        guard params(of: DaemonStatus.self, client, request) != nil else { return }
        answer(
            client, request,
            DaemonStatus.Result(
                version: Software.version,
                uptimeSeconds: Int((NIODeadline.now() - began).nanoseconds / 1_000_000_000),
                clients: clients.count, sandboxes: servers.count + runs.count,
                connections: users.values.reduce(0) { $0 + $1.connections.count }
            ).json)
    }

    private func restrict(_ client: Client, _ request: ControlRequest) {
        guard let params = params(of: SessionRestrict.self, client, request) else { return }
        guard client.restriction ?? params.connection == params.connection else {
            return fail(
                client, request.id,
                Failure(
                    .notAllowed,
                    "cannot restrict the session to '\(sanitized(params.connection))': it is "
                        + "restricted to '\(client.restriction ?? "")' already",
                    hint: "open another connection to the socket"))
        }
        client.restrict(to: params.connection)
        answer(client, request, Empty().json)
    }

    private func usableCards(_ caller: Caller) -> [RunCard] {
        policies.cards.values.sorted { $0.name < $1.name }.filter { card in
            policies.access.decide(user: caller, card: card.name).isAllowed
                && (!card.freeCommand || policies.access.mayRunCommands(caller).isAllowed)
        }
    }

    private func listCards(_ client: Client, _ request: ControlRequest) {
        guard params(of: CardsList.self, client, request) != nil else { return }
        let cards = usableCards(client.caller).map(Card.init(describing:))
        answer(client, request, CardsList.Result(cards: cards).json)
    }

    private func getCard(_ client: Client, _ request: ControlRequest) {
        guard let params = params(of: CardsGet.self, client, request) else { return }
        do throws(Failure) {
            let (card, _) = try usableCard(params.name, client.caller, verb: "show")
            answer(client, request, Card(describing: card).json)
        } catch {
            fail(client, request.id, error)
        }
    }

    private func listConnections(_ client: Client, _ request: ControlRequest) {
        guard params(of: ConnectionsList.self, client, request) != nil else { return }
        let seen = table(client.caller.uid).connections.values
            .filter { client.restriction ?? $0.name == $0.name }
            .sorted { $0.name < $1.name }
        answer(
            client, request, ConnectionsList.Result(connections: seen.map(\.described)).json)
    }
}

extension Card {
    /// A card as users see it.
    fileprivate init(describing card: RunCard) {
        self.init(
            name: card.name, title: card.title, description: card.description,
            settings: card.settings.map { setting in
                Setting(
                    name: setting.name, kind: Setting.Kind(setting.kind),
                    required: setting.required, standard: setting.standard,
                    choices: setting.choices, hint: setting.hint)
            },
            credentials: card.credentials.map {
                Credential(name: $0.name, required: $0.required, hint: $0.hint)
            },
            network: card.networkAllow.map(\.text))
    }
}

extension Card.Setting.Kind {
    fileprivate init(_ kind: RunCard.Setting.Kind) {
        switch kind {
        case .string: self = .string
        case .integer: self = .integer
        case .choice: self = .choice
        case .directory: self = .directory
        case .words: self = .words
        }
    }
}
