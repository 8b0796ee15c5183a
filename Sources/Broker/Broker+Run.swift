internal import Configuration
internal import Control
internal import JSONRPC
internal import Logging
internal import MCP
internal import NIOCore
internal import Policy
internal import SupervisorProtocol

/// A command of a user's own, from its request to its end.
final class CommandRun {
    let client: Client
    let request: ControlRequest
    let policy: String
    /// What people call it: its first word.
    let name: String
    /// Whether nobody waits for it any more.
    var isCancelled = false
    /// What the network refused it.
    var network = CallNetwork()

    init(_ client: Client, _ request: ControlRequest, policy: String, name: String) {
        self.client = client
        self.request = request
        self.policy = policy
        self.name = name
    }
}

extension Broker {
    /// `corral/run`: has the supervisor start a command; from then on its bytes go between it and
    /// the client alone.
    func run(_ client: Client, _ request: ControlRequest) {
        guard let params = params(of: Run.self, client, request) else { return }
        let name = sanitized(String((params.command.first ?? "").prefix(Limit.quotedBytes)))
        if let failure = obstacle(client, params, name) {
            return fail(client, request.id, failure)
        }
        let id = takeRequestID()
        let wanted = Request.run(
            Request.Run(
                id: id, user: client.caller.uid, policy: params.policy,
                directory: params.directory,
                mounts: params.mounts.map { .init(path: $0.path, writable: $0.writable) },
                allow: params.allow, command: params.command,
                environment: params.environment.map { .init(name: $0.name, value: $0.value) }))
        guard wanted.isSendable else {
            return fail(
                client, request.id,
                Failure(
                    .badSetting, "cannot run '\(name)': its words and variables are too long",
                    hint: "at most 512 words and variables, and 64 KiB in all"))
        }
        requests[id] = .run(CommandRun(client, request, policy: params.policy, name: name))
        link.send(wanted)
    }

    /// Why a command is not even asked for.
    private func obstacle(_ client: Client, _ params: Run.Params, _ name: String) -> Failure? {
        guard client.restriction == nil else {
            return Failure(
                .notAllowed,
                "cannot run '\(name)': the session is restricted to '\(client.restriction ?? "")'",
                hint: "open another connection to the socket")
        }
        guard !isDraining else { return .shuttingDown }
        let verdict = policies.access.decide(user: client.caller, policy: params.policy)
        guard verdict.isAllowed else { return .denied("run", name, verdict) }
        guard requests.count < Limit.supervisorRequests else {
            return .busy("run", name, "too many starts are under way")
        }
        let uid = client.caller.uid
        let starting = requests.values.count { request in
            if case .run(let run) = request { run.client.caller.uid == uid } else { false }
        }
        let running = runs.values.count { $0.client.caller.uid == uid }
        guard starting + running < Limit.runsPerUser else {
            return Failure(
                .limitReached,
                "cannot run '\(name)': \(Limit.runsPerUser) commands of yours run already",
                hint: "wait for one to end")
        }
        return nil
    }

    /// The supervisor has started a command: its client gets the ends of its pipes.
    func started(_ run: CommandRun, sandbox: UInt64, _ descriptors: Descriptors) {
        guard !run.isCancelled, descriptors.count >= 4 else {
            return link.send(.kill(sandbox: sandbox))
        }
        runs[sandbox] = run
        tellSpent(sandbox, run)
        log.info(
            "command started",
            metadata: [
                "uid": "\(run.client.caller.uid)", "policy": "\(run.policy)",
                "sandbox": "\(sandbox)",
            ])
        var result = Run.Result(run: Int(clamping: sandbox)).json
        if run.request.era == .modern { result["resultType"] = "complete" }
        guard run.client.face.finished(run.request.id) else { return }
        var line = LineWriter()
        line.result(run.request.id, result)
        // The supervisor reports the end and what was used; the pidfd and the meters close here.
        run.client.pass(line.bytes, descriptors, first: 3) { [self] in
            // It does not read, or has gone: no answer reaches it in its place in the order.
            log.notice("descriptors not taken", metadata: ["sandbox": "\(sandbox)"])
            link.send(.kill(sandbox: sandbox))
            run.client.context?.close(promise: nil)
        }
    }

    /// The supervisor has refused a command, or it could not be executed.
    func fail(_ run: CommandRun, _ refusal: Refusal) {
        var failure = Failure(refusal, log: [])
        // The supervisor's sentence says what to do.
        failure.hint = nil
        failure.log = nil
        failure.step = refusal.step.isEmpty ? nil : refusal.step
        failure.errno = refusal.errno == 0 ? nil : Int(refusal.errno)
        fail(run.client, run.request.id, failure)
    }

    /// A command's sandbox is gone.
    func ended(_ sandbox: UInt64, _ ending: Ending) {
        // Its last decisions are still this command's.
        drainNetwork()
        network.sandboxes[sandbox] = nil
        guard let run = runs.removeValue(forKey: sandbox) else { return }
        log.info("command ended", metadata: ["sandbox": "\(sandbox)", "how": "\(ending.text)"])
        let ended = RunEnded(
            run: Int(clamping: sandbox), status: Int(ending.status), signal: Int(ending.signal),
            limits: ending.limits, network: run.network.lines,
            cpuMicroseconds: Int(clamping: ending.usage.cpuMicroseconds),
            memoryPeakBytes: Int(clamping: ending.usage.memoryPeakBytes))
        run.client.out.notification(RunEnded.method, ended.json)
        markDirty(run.client)
    }

    /// `corral/run/signal`: the supervisor decides which signals there are.
    func signal(_ client: Client, _ request: ControlRequest) {
        guard let params = params(of: RunSignal.self, client, request) else { return }
        let sandbox = UInt64(clamping: params.run)
        if let run = runs[sandbox], run.client === client {
            link.send(.signal(sandbox: sandbox, number: Int32(clamping: params.signal)))
        }
        answer(client, request, Empty().json)
    }

    /// A client has gone: its commands end.
    func endRuns(of client: Client) {
        cancelRuns { $0.client === client }
        for (sandbox, run) in runs where run.client === client {
            link.send(.kill(sandbox: sandbox))
        }
    }

    /// A client has lost interest in a command that has not started.
    func cancelRun(_ id: RequestID, of client: Client) {
        cancelRuns { run in
            guard run.client === client, run.request.id == id else { return false }
            client.face.finished(id)
            return true
        }
    }

    private func cancelRuns(_ isMeant: (CommandRun) -> Bool) {
        for case .run(let run) in requests.values where isMeant(run) { run.isCancelled = true }
    }
}
