internal import Control
internal import JSONRPC
internal import Logging
internal import MCP
internal import NIOCore
internal import Policy
internal import RunCards

/// What a server waits for while it works on a call.
struct PendingAsk {
    let server: Server
    /// The call that it is asked for; nil when it belongs to all of its client's there.
    let call: Int?
    let kind: Ask.Kind
    /// Where the answer goes.
    let target: Target

    enum Target {
        /// The request of a legacy server, under its own id.
        case request(RequestID)
        /// One of the inputs that a modern server asked for, under its key.
        case input(String)
    }
}

extension Broker {
    /// A legacy server asks for something: the client whose calls alone are in flight there is
    /// asked, if the card lets it and the client answers such things.
    func asked(_ id: RequestID, _ kind: Ask.Kind, by server: Server, _ params: JSON?) {
        guard let call = owner(of: kind, at: server) else {
            return refuse(id, kind, of: server, "no client that answers it is calling")
        }
        let ask: Ask
        do throws(Ask.Refusal) {
            ask = try Ask.read(kind, params, from: server.connection.name)
        } catch {
            return refuse(id, kind, of: server, error.text)
        }
        extendDeadline(of: call.number, at: server)
        if call.call.era == .legacy {
            send(
                ask, to: call.call.client,
                for: PendingAsk(server: server, call: nil, kind: kind, target: .request(id)))
        } else {
            park(call.number, at: server, ParkedAsk(id: id, ask: ask))
        }
    }

    /// The call that something is asked for, when there can be no doubt about it.
    private func owner(
        of kind: Ask.Kind, at server: Server
    ) -> (number: Int, call: Server.Call)? {
        guard let first = server.calls.min(by: { $0.key < $1.key }) else { return nil }
        let client = first.value.client
        guard first.value.asks.contains(kind), server.connection.card.asks.contains(kind),
            server.calls.values.allSatisfy({ $0.client === client && $0.era == first.value.era }),
            first.value.era == .legacy || server.calls.count == 1
        else { return nil }
        return (first.key, first.value)
    }

    /// Answers a legacy server in the client's place.
    private func refuse(_ id: RequestID, _ kind: Ask.Kind, of server: Server, _ cause: String) {
        note("\(kind.rawValue) refused: \(cause)", of: server)
        if kind == .elicitation, server.connection.card.asks.contains(kind) {
            // What a user would say who does not want to.
            server.out.result(id, ["action": "decline"])
        } else {
            server.out.error(
                id, code: ProtocolErrorCode.methodNotFound, message: "Refused: \(cause)")
        }
        markDirty(server)
    }

    private func note(_ text: String, of server: Server) {
        server.connection.log.append("[corral] \(sanitized(text))", of: server.start)
        tellNewLines(of: server.connection)
    }

    /// Asks a legacy client.
    func send(_ ask: Ask, to client: Client, for pending: PendingAsk) {
        guard client.asks.count < Limit.asksPerClient else {
            return answered(pending, .failure(.crowded("ask", ask.kind.rawValue)))
        }
        client.lastAsk += 1
        pending.server.askedClients[ObjectIdentifier(client)] = client
        client.asks[client.lastAsk] = pending
        client.out.request(.integer(client.lastAsk), ask.kind.rawValue, ask.params)
        markDirty(client)
    }

    /// A client answers something that it was asked; what it was not asked is nobody's.
    func answered(_ number: Int, by client: Client, _ message: Envelope, _ bytes: [UInt8]) {
        guard let pending = client.asks.removeValue(forKey: number) else { return }
        if let range = message.result, bytes[range.lowerBound] == UInt8(ascii: "{") {
            answered(pending, .success(Array(bytes[range])))
        } else {
            answered(
                pending,
                .failure(Failure(code: ProtocolErrorCode.server, message: "the client refused")))
        }
    }

    /// Hands an answer, or that there is none, to who waits for it.
    private func answered(_ pending: PendingAsk, _ result: Result<[UInt8], Failure>) {
        let server = pending.server
        guard !server.isConcluded else { return }
        switch (pending.target, result) {
        case (.request(let id), .success(let bytes)):
            server.out.beginResult(id)
            server.out.lines(bytes.map { $0 == 0x0D ? 0x20 : $0 })
            server.out.endResponse()
            markDirty(server)
        case (.request(let id), .failure(let failure)):
            refuse(id, pending.kind, of: server, failure.message)
        case (.input(let key), .success(let bytes)): took(key, bytes, pending)
        case (.input(let key), .failure) where pending.kind == .elicitation:
            took(key, Array(#"{"action":"decline"}"#.utf8), pending)
        case (.input, .failure(let failure)):
            guard let number = pending.call, server.calls[number] != nil else { return }
            end(number, at: server, failure)
        }
    }

    /// A person may be thinking: the call may last as long as any.
    func extendDeadline(of number: Int, at server: Server) {
        guard let call = server.calls[number] else { return }
        let longest = call.began + TimeAmount(server.connection.policy.limits.callTimeout.max)
        server.calls[number]?.deadline = max(call.deadline, longest)
    }

    /// A call has ended, or its client has gone: what was asked for it is not waited for any more.
    func dropAsks(of client: Client, at server: Server) {
        guard !client.asks.isEmpty else {
            server.askedClients[ObjectIdentifier(client)] = nil
            return
        }
        let rest = server.calls.values.contains { $0.client === client }
        for (number, pending) in client.asks where pending.server === server {
            let isOver = pending.call.map { server.calls[$0] == nil } ?? !rest
            guard isOver else { continue }
            client.asks[number] = nil
            if case .request(let id) = pending.target, !server.isConcluded {
                refuse(id, pending.kind, of: server, "the call it was asked for has ended")
            }
            client.out.notification(
                "notifications/cancelled",
                ["requestId": .integer(number), "reason": "the call it was asked for has ended"])
            markDirty(client)
        }
    }
}

extension Ask.Refusal {
    /// The cause, for people.
    var text: String {
        switch self {
        case .malformed(let cause): cause
        case .webPage: "it would lead the user to a web page"
        case .secret(let word): "it asks for a secret ('\(word)')"
        }
    }
}

extension RunCard {
    /// What its server may ask of clients.
    var asks: Set<Ask.Kind> {
        Set(
            clientRequests.map { request in
                switch request {
                case .elicitation: .elicitation
                case .sampling: .sampling
                case .roots: .roots
                }
            })
    }
}
