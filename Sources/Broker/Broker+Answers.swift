internal import Control
internal import JSONRPC
internal import MCP
internal import NIOCore
internal import Policy
internal import SupervisorProtocol

extension Broker {
    /// Acts on what a server's message means.
    func handle(
        _ event: ServerEvent, of server: Server, _ message: Envelope, _ bytes: [UInt8],
        lineBytes: Int
    ) {
        switch event {
        case .nothing: return
        case .answer(let number):
            server.calls[number]?.account.bytesOut += lineBytes
            tellProgress(number, at: server)
            answer(number, at: server, message, bytes)
        case .progress(let number):
            server.calls[number]?.account.bytesOut += lineBytes
            progress(number, at: server, message, bytes)
        case .pong: server.pingDeadline = nil
        case .changed(let kind): changed(kind, by: server)
        case .updated(let uri): updated(uri, by: server)
        case .logged: logged(by: server, message, bytes)
        case .asked(let id, let kind):
            let params = message.params.flatMap { JSON.read(bytes, $0.range) }
            asked(id, kind, by: server, params)
        case .listFailed(let cause):
            let failure = Failure.invalid(.malformed(cause), "tools/list", server.connection)
            endListing(of: server, .failure(failure))
        case .listed(let offer): listed(offer, by: server)
        case .ready(let offer): ready(server, offer)
        case .failed(let step, let cause): startFailed(server, step: step, cause: cause)
        case .respawn: respawn(server)
        }
    }

    /// An answer to a call; of a number that is not in flight it reaches nobody.
    private func answer(
        _ number: Int, at server: Server, _ message: Envelope, _ bytes: [UInt8],
        isSettled: Bool = false
    ) {
        drainNetwork(of: server)
        guard let call = server.calls[number] else {
            server.unfinished.remove(number)
            return
        }
        if network.isCongested, server.isNetworked, !isSettled {
            guard server.settling.insert(number).inserted else { return }
            return settleNetwork { [self] in
                server.settling.remove(number)
                answer(number, at: server, message, bytes, isSettled: true)
            }
        }
        if message.result == nil {
            server.calls[number] = nil
            return forwardError(of: call, at: server, message, bytes)
        }
        if inputRequired(number, at: server, message, bytes) { return }
        let size = message.result?.count ?? 0
        guard size <= server.connection.policy.limits.response else {
            let head = message.result.map { bytes[$0] } ?? []
            return endTooLarge(number, at: server, head: head)
        }
        do throws(ResultTranslation.Problem) {
            try ResultTranslation.check(message, bytes, of: call.kind, from: server.face.era)
        } catch {
            return end(number, at: server, .invalid(error, call.tool, server.connection))
        }
        server.calls[number] = nil
        noteAnswer(of: server)
        if ResultTranslation.isError(message, bytes) {
            return explain(call, at: server, message, bytes)
        }
        let usage = server.usage(of: call)
        record(call, usage, at: server, error: nil)
        if call.client.face.finished(call.id) {
            let told = exposed(message, bytes, of: call, at: server)
            ResultTranslation.write(
                told.message, told.bytes, of: call.kind, as: call.id, from: server.face.era,
                to: call.era, adding: call.told(usage), into: &call.client.out)
            markDirty(call.client)
        }
        callEnded(at: server)
    }

    /// A server that answers is well.
    private func noteAnswer(of server: Server) {
        guard !server.hasAnswered else { return }
        server.hasAnswered = true
        server.connection.health.recovered()
    }

    /// A result with its URIs as the caller knows them.
    private func exposed(
        _ message: Envelope, _ bytes: [UInt8], of call: Server.Call, at server: Server
    ) -> (message: Envelope, bytes: [UInt8]) {
        ResourceLinks.exposed(message, bytes, of: call.kind, connection: server.connection.name)
            ?? (message, bytes)
    }

    private func forwardError(
        of call: Server.Call, at server: Server, _ message: Envelope, _ bytes: [UInt8]
    ) {
        let usage = server.usage(of: call)
        record(call, usage, at: server, error: call.networkReason ?? "server_error")
        if call.client.face.finished(call.id) {
            let isWritten = ResultTranslation.writeError(
                message, bytes, as: call.id, to: call.era, adding: call.told(usage),
                saying: call.network.lines, clean: { sanitized($0, layout: .block) },
                into: &call.client.out)
            if !isWritten {
                var failure = Failure.invalid(
                    .malformed("the error has no readable code and message"), call.tool,
                    server.connection)
                failure.usage = usage
                failure.network = call.network.isEmpty ? nil : call.network
                call.client.out.error(
                    call.id, code: failure.code, message: failure.message,
                    data: failure.json["data"])
            }
            markDirty(call.client)
        }
        callEnded(at: server)
    }

    /// A result that says the tool failed: asks the supervisor whether a limit was the reason.
    private func explain(
        _ call: Server.Call, at server: Server, _ message: Envelope, _ bytes: [UInt8]
    ) {
        let era = server.face.era
        let used = server.usage(of: call)
        // The bytes of the batch are gone when the figures come.
        askUsage(of: server) { [self] usage in
            let limits = server.noteUsage(usage ?? server.ending?.usage)
            record(
                call, used, at: server,
                error: limits.first?.reason ?? call.networkReason ?? "tool_error")
            if call.client.face.finished(call.id) {
                var own = call.told(used)
                var lines = call.network.lines
                if !limits.isEmpty {
                    own = ResultTranslation.limitsMember(limits.map(\.text)) + "," + own
                    lines.insert(ResultTranslation.limitsLine(limits.map(\.text)), at: 0)
                }
                ResultTranslation.write(
                    message, bytes, of: call.kind, as: call.id, from: era, to: call.era,
                    adding: own, saying: call.kind == .tool ? lines : [],
                    into: &call.client.out)
                markDirty(call.client)
            }
            callEnded(at: server)
        }
    }

    /// Asks for a server's figures; nil when there is no answer in time.
    func askUsage(of server: Server, _ then: @escaping (Usage?) -> Void) {
        guard server.ending == nil, requests.count < Limit.supervisorRequests else {
            return then(server.ending?.usage)
        }
        let id = takeRequestID()
        let timer = schedule(after: Limit.usageGrace) { broker in
            guard broker.requests.removeValue(forKey: id) != nil else { return }
            then(nil)
        }
        requests[id] = .usage { usage in
            timer.cancel()
            then(usage)
        }
        link.send(.usage(id: id, sandbox: server.sandbox))
    }

    /// A line that is no message.
    func noise(from server: Server, _ line: ArraySlice<UInt8>, _ error: EnvelopeError) {
        let head = String(decoding: line.prefix(Limit.quotedBytes), as: UTF8.self)
        server.connection.log.append("[stdout] \(sanitized(head))", of: server.start)
        tellNewLines(of: server.connection)
        if server.face.noise(bytes: line.count) { return }
        stop(
            server,
            .broke(
                .invalidOutput,
                "it wrote \(server.face.noiseCount) lines that are not MCP to its standard output"))
    }

    /// A line beyond the limit: ends the call it answers, or the server when that is unknown.
    func tooLong(_ server: Server, head: [UInt8]) {
        let number = Broker.answeredNumber(Array(head.prefix(JSONRPC.Limit.headBytes)))
        if let number, server.calls[number] != nil {
            return endTooLarge(number, at: server, head: Broker.result(of: head))
        }
        stop(server, .broke(.outputTooLarge, "it wrote a line beyond the limit"))
    }

    /// The id that the beginning of a line names, looked for without parsing: the line is gone.
    static func answeredNumber(_ head: [UInt8]) -> Int? {
        let name = Array("\"id\":".utf8)
        var at = 0
        while at + name.count < head.count {
            guard head[at..<at + name.count].elementsEqual(name) else {
                at += 1
                continue
            }
            let digits = head[(at + name.count)...].drop { $0 == 0x20 }
                .prefix { $0 >= 0x30 && $0 <= 0x39 }
            return Int(String(decoding: digits, as: UTF8.self))
        }
        return nil
    }
}

extension Server.Call {
    /// The members that tell what it used, and what the network refused, if anything.
    fileprivate func told(_ usage: CallUsage) -> String {
        network.isEmpty ? usage.member : "\(usage.member),\(network.member)"
    }

    /// Why it may have failed, where the network refused something.
    fileprivate var networkReason: String? {
        if !network.denied.isEmpty || network.more > 0 { return ErrorCode.networkDenied.name }
        return network.unavailable ? ErrorCode.networkUnavailable.name : nil
    }
}

/// A limit that a sandbox has met.
struct MetLimit {
    let code: ErrorCode
    let text: String
    var reason: String { code.name }
}

extension Server {
    /// Takes new figures and tells which limits were met since the last ones.
    func noteUsage(_ new: Usage?) -> [MetLimit] {
        guard let new else { return [] }
        defer { usage = new }
        var limits: [MetLimit] = []
        if new.memoryKills > usage.memoryKills {
            let size = new.memoryLimitBytes >> 20
            limits.append(MetLimit(code: .memoryExceeded, text: "memory_exceeded (\(size) MiB)"))
        }
        if new.processRefusals > usage.processRefusals {
            limits.append(
                MetLimit(code: .pidsExceeded, text: "pids_exceeded (\(new.processLimit))"))
        }
        return limits
    }
}
