internal import Control
internal import Logging
internal import SupervisorProtocol

extension Broker {
    /// `corral/connections/posture`: asks the supervisor, who can look; starts nothing.
    func posture(_ client: Client, _ request: ControlRequest) {
        guard let connection = named(ConnectionsPosture.self, client, request) else { return }
        guard let server = connection.server else {
            return fail(client, request.id, .notRunning(connection))
        }
        guard requests.count < Limit.supervisorRequests else {
            return fail(
                client, request.id,
                .busy("look at", connection.name, "too many requests are under way"))
        }
        let id = takeRequestID()
        requests[id] = .posture { [self] result in
            switch result {
            case .success(let rows): tell(rows, of: connection, client, request)
            case .failure(let refusal):
                // It may end between the question and the look.
                let isGone = refusal.code == .unknown
                fail(
                    client, request.id,
                    isGone ? .notRunning(connection) : Failure(refusal, log: []))
            }
            flushPeers()
        }
        link.send(.posture(id: id, sandbox: server.sandbox))
    }

    private func tell(
        _ rows: [PostureRow], of connection: ManagedConnection, _ client: Client,
        _ request: ControlRequest
    ) {
        let result = ConnectionsPosture.Result(
            rows: rows.map { row in
                ConnectionsPosture.Row(
                    group: row.group, name: row.name, wanted: row.wanted, found: row.found,
                    ok: row.ok)
            })
        if !result.holds {
            log.error("posture differs", metadata: ["connection": "\(connection.id)"])
        }
        answer(client, request, result.json)
    }
}

extension Failure {
    /// There is nothing to look at.
    static func notRunning(_ connection: ManagedConnection) -> Failure {
        Failure(
            .notRunning, "cannot look at '\(connection.name)': its server does not run",
            hint: "call one of its tools, or run `corral test \(connection.name)`, then look again")
    }
}
