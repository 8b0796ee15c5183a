internal import Control
internal import JSONRPC
internal import Kernel
internal import MCP
internal import NIOCore
internal import Policy
internal import RunCards
internal import YAML

/// What a legacy server asked, while its modern client is away to find the answer.
struct ParkedAsk {
    /// The server's own id for it.
    let id: RequestID
    let ask: Ask
}

/// The rounds of one call whose server asks before it answers.
struct Rounds {
    /// The call as it is sent again, for a modern server behind a legacy client.
    var call: ClientCall?
    /// The server's own name for what is called.
    var name = ""
    /// How often it was sent.
    var count = 1
    /// The inputs that are still waited for, and those that have come.
    var missing: Set<String> = []
    var inputs: [(key: String, bytes: [UInt8])] = []
    var state: String?
    /// The handle under which the client comes back; nil while it waits for the answer itself.
    var handle: String?
    /// What a legacy server asked that its client was not told yet, or has not answered.
    var parked: [ParkedAsk] = []

    /// The first round; the call is kept only where it may have to be sent again.
    init(_ call: ClientCall, _ name: String, _ asks: Set<Ask.Kind>, _ server: Era) {
        self.name = name
        if !asks.isEmpty, server == .modern, call.era == .legacy { self.call = call.detached() }
    }

    /// The only key of what is asked in a legacy server's name.
    static let key = "1"
    /// Stands for the id of a call that nobody waits for now: beyond what ids can be.
    static let parkedID = RequestID.integer(.min)
}

extension Broker {
    /// A modern server needs to know more first; false when the message is an ordinary answer.
    func inputRequired(
        _ number: Int, at server: Server, _ message: Envelope, _ bytes: [UInt8]
    ) -> Bool {
        let required: InputRequired
        do throws(Ask.Refusal) {
            let read = try InputRequired.read(message, bytes, from: server.connection.name)
            guard let read else { return false }
            required = read
        } catch {
            end(number, at: server, .refused(error.text, at: server))
            return true
        }
        guard let call = server.calls[number] else { return true }
        let allowed = server.connection.card.asks
        if let kind = required.asks.map(\.ask.kind).first(where: { !allowed.contains($0) }) {
            end(number, at: server, .notAsked(kind, at: server))
        } else if let kind = required.asks.map(\.ask.kind).first(where: { !call.asks.contains($0) })
        {
            endLacking(kind, number, at: server)
        } else if call.era == .modern {
            handOn(required.json, of: number, at: server)
        } else {
            ask(required, for: number, at: server)
        }
        return true
    }

    /// Ends a call whose client did not declare what the server asks for.
    private func endLacking(_ kind: Ask.Kind, _ number: Int, at server: Server) {
        let failure = Failure.lacks(kind, at: server)
        guard let call = server.calls[number], call.era == .modern else {
            return end(number, at: server, failure)
        }
        server.calls[number] = nil
        record(call, server.usage(of: call), at: server, error: "server_error")
        if call.client.face.finished(call.id) {
            call.client.refuse(
                call.id, ProtocolErrorCode.missingCapability, failure.message,
                ["requiredCapabilities": .object([kind.capability: [:]])])
        }
        callEnded(at: server)
    }

    /// Ends a client's request with what it has to find out; the call itself is over.
    private func handOn(_ result: JSON, of number: Int, at server: Server) {
        guard let call = server.calls.removeValue(forKey: number) else { return }
        let usage = server.usage(of: call)
        record(call, usage, at: server, error: nil)
        answer(call.client, call.id, result)
        callEnded(at: server)
    }

    /// Asks a legacy client for all that a modern server wants, before the call is sent again.
    private func ask(_ required: InputRequired, for number: Int, at server: Server) {
        guard let call = server.calls[number], call.rounds.call != nil,
            call.rounds.count < Limit.rounds
        else { return end(number, at: server, .refused("it asks again and again", at: server)) }
        server.calls[number]?.rounds.state = required.state
        server.calls[number]?.rounds.inputs = []
        server.calls[number]?.rounds.missing = Set(required.asks.map(\.key))
        extendDeadline(of: number, at: server)
        for (key, ask) in required.asks {
            send(
                ask, to: call.client,
                for: PendingAsk(
                    server: server, call: number, kind: ask.kind, target: .input(key)))
        }
        if required.asks.isEmpty { sendAgain(number, at: server) }
    }

    /// One of the inputs has come.
    func took(_ key: String, _ bytes: [UInt8], _ pending: PendingAsk) {
        guard let number = pending.call,
            pending.server.calls[number]?.rounds.missing.remove(key) != nil
        else { return }
        pending.server.calls[number]?.rounds.inputs.append((key, bytes))
        if pending.server.calls[number]?.rounds.missing.isEmpty == true {
            sendAgain(number, at: pending.server)
        }
    }

    /// Sends a call again with what was asked for, under a new number.
    private func sendAgain(_ number: Int, at server: Server) {
        guard var call = server.calls.removeValue(forKey: number), let again = call.rounds.call
        else { return }
        call.rounds.count += 1
        let retry = again.answering(call.rounds.inputs, state: call.rounds.state)
        let before = server.out.bytes.count
        let next = server.face.call(
            retry, own: call.rounds.name, asks: call.asks, into: &server.out)
        call.account.bytesIn += server.out.bytes.count - before
        server.calls[next] = call
        markDirty(server)
    }

    /// A legacy server asks while a modern client waits: the client's request ends with what it has
    /// to find out, the call goes on.
    func park(_ number: Int, at server: Server, _ parked: ParkedAsk) {
        guard let call = server.calls[number] else { return }
        guard call.rounds.parked.count < MCP.Limit.asks else {
            return server.out.error(
                parked.id, code: ProtocolErrorCode.server, message: "Refused: too many requests")
        }
        server.calls[number]?.rounds.parked.append(parked)
        if call.rounds.handle == nil { tellParked(number, at: server) }
    }

    private func tellParked(_ number: Int, at server: Server) {
        guard let call = server.calls[number], let first = call.rounds.parked.first else { return }
        let handle: String
        do {
            handle = try System.random(16).map { byte in
                String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            }.joined()
        } catch {
            return end(number, at: server, .refused("no random number: \(error)", at: server))
        }
        server.calls[number]?.rounds.handle = handle
        server.calls[number]?.id = Rounds.parkedID
        server.calls[number]?.progressToken = nil
        answer(
            call.client, call.id,
            InputRequired(first.ask, key: Rounds.key, state: handle).json)
    }

    /// A modern client comes back to a call that was parked; false when it is not one of those.
    func unpark(_ call: ClientCall, _ route: Client.Route, from client: Client) -> Bool {
        guard let handle = call.state, let server = route.connection.server,
            let number = server.calls.first(where: { $0.value.rounds.handle == handle })?.key,
            let parked = server.calls[number], parked.kind == call.kind,
            parked.rounds.name == route.name, let first = parked.rounds.parked.first
        else { return false }
        server.calls[number]?.rounds.handle = nil
        server.calls[number]?.rounds.parked.removeFirst()
        server.calls[number]?.client = client
        server.calls[number]?.id = call.id
        server.calls[number]?.progressToken = call.progressToken
        if let bytes = call.input(Rounds.key) {
            server.out.beginResult(first.id)
            server.out.lines(bytes)
            server.out.endResponse()
        } else {
            server.out.error(
                first.id, code: ProtocolErrorCode.server, message: "Refused: no answer came")
        }
        markDirty(server)
        if parked.rounds.parked.count > 1 { tellParked(number, at: server) }
        return true
    }
}

extension Failure {
    /// A server asks for something that is not handed on.
    fileprivate static func refused(_ cause: String, at server: Server) -> Failure {
        Failure(
            .invalidOutput,
            "cannot hand on what '\(server.connection.name)' asks for: \(sanitized(cause))")
    }

    /// A server asks for something that its card does not let it.
    fileprivate static func notAsked(_ kind: Ask.Kind, at server: Server) -> Failure {
        let card = server.connection.card
        let place = card.place(of: "client_requests")
        return Failure(
            .notAllowed,
            "cannot hand on what '\(server.connection.name)' asks for: client_requests of "
                + "\(place.file):\(place.line) does not name \(kind.capability)",
            rule: "client_requests", file: place.file, line: place.line)
    }

    /// A server asks for something that the client did not say it answers.
    fileprivate static func lacks(_ kind: Ask.Kind, at server: Server) -> Failure {
        Failure(
            .invalidOutput,
            "cannot hand on what '\(server.connection.name)' asks for: the client did not "
                + "declare \(kind.capability)")
    }
}
