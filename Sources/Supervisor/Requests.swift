import Configuration
import Glibc
import Kernel
import Policy
import RunCards
import Sandbox
import SupervisorProtocol

extension Supervisor {
    /// Reads what the broker asks; one that breaks the protocol is ended.
    func readRequests() throws(KernelError) {
        for _ in 0..<Limit.requestsPerTurn {
            guard let asker = broker, linked, let datagram = try asker.receive() else { return }
            guard !datagram.bytes.isEmpty else {
                linked = false
                try poller.remove(asker.link.raw)
                return try askerLeft()
            }
            let request: Request
            do throws(DecodingError) {
                guard !datagram.truncated else { throw .tooLong }
                request = try Request(decoding: datagram.bytes)
            } catch {
                journal.event("broker-protocol-error", [("cause", "\(error)")])
                return try endBroker()
            }
            try answer(request)
        }
    }

    private func answer(_ request: Request) throws(KernelError) {
        switch request {
        case .hello(let version): try greet(version)
        case .start(let start): try self.start(start)
        case .install(let id, let card): try install(id, card)
        case .kill(let sandbox): try kill(sandbox)
        case .usage(let id, let sandbox): try usage(id, sandbox)
        case .posture(let id, let sandbox): try posture(id, sandbox)
        case .run(let run): try self.run(run)
        case .signal(let sandbox, let number): try signal(sandbox, number)
        case .reload(let id): try reload(id)
        }
    }

    private func greet(_ version: UInt32) throws(KernelError) {
        try send(.hello(version: SupervisorProtocol.Limit.version))
        guard version == SupervisorProtocol.Limit.version else {
            journal.event("broker-version", [("version", String(version))])
            return try endBroker()
        }
        isGreeted = true
        try introduce()
        if !readyTold {
            readyTold = true
            journal.event("ready", [("socket", settings.controlSocket)])
            notify("READY=1")
        }
    }

    private func kill(_ id: UInt64) throws(KernelError) {
        guard let sandbox = sandboxes[id], sandbox.purpose.request != nil else { return }
        sandbox.requested = true
        try sandbox.kill()
    }

    private func usage(_ id: UInt64, _ sandbox: UInt64) throws(KernelError) {
        guard let sandbox = sandboxes[sandbox] else {
            let gone = Refusal(code: .unknown, message: "cannot measure a sandbox: it is gone")
            return try send(.refused(id: id, gone))
        }
        try send(.usage(id: id, measure(sandbox)))
    }

    private func start(_ request: Request.Start) throws(KernelError) {
        let sandbox: RunningSandbox
        do throws(Refusal) {
            sandbox = try makingRoom { () throws(Refusal) in try clone(request) }
        } catch {
            journal.event("start-refused", [("card", request.card), ("cause", error.message)])
            return try send(.refused(id: request.id, error))
        }
        try watch(sandbox)
    }

    /// Refuses what there is no room for.
    func admit(_ verb: String, _ name: String) throws(Refusal) {
        guard sandboxes.count - nursery.warm.count < Limit.sandboxes, stopping == nil else {
            throw Refusal(
                code: .host,
                message: "cannot \(verb) '\(name)': "
                    + (stopping == nil
                        ? "\(Limit.sandboxes) sandboxes run already" : "corrald is stopping"))
        }
    }

    private func clone(_ request: Request.Start) throws(Refusal) -> RunningSandbox {
        try admit("start", request.card)
        let accounts = try host("read the accounts") { () throws(KernelError) -> Accounts in
            try self.accounts.current()
        }
        let resolution = try resolutions.resolution(
            request, set: set, accounts: self.accounts.reading
        ) { () throws(Refusal) in
            try Resolution(request, set: set, caller: accounts.caller(request.user))
        }
        let order = try self.order(request, resolution)
        return try nursery.start(order) { uid throws(Refusal) in
            var trees = Trees()
            guard !resolution.directories.isEmpty else { return trees }
            let user = accounts.user(request.user)
            let groups = accounts.groups(of: user)
            for directory in resolution.directories {
                trees.append(
                    try UserDirectory.tree(directory, of: user, groups: groups, sandbox: uid))
            }
            return trees
        }
    }

    private func order(
        _ request: Request.Start, _ resolution: Resolution
    ) throws(Refusal) -> Nursery.Order {
        let card = resolution.card
        let prefix: String?
        do throws(SandboxError) {
            prefix = try prefixRoot(of: card)
        } catch {
            throw Refusal(starting: card.name, error)
        }
        return try Nursery.Order(
            .server(request: request.id), resolution.policy,
            NetworkGrant(
                resolution.policy, resolution.rules, source: .card(card.name),
                owner: request.connection),
            user: request.user, prefix: prefix, tree: ["run", card.name, prefix ?? ""],
            LaunchPlan(
                resolution.policy, hostname: card.name, directory: RootTree.home,
                mounts: resolution.directories, command: resolution.command,
                environment: resolution.environment), on: nursery.cgroups)
    }

    /// The packages of a card, which must have been installed; nil when it has none.
    private func prefixRoot(of card: RunCard) throws(SandboxError) -> String? {
        guard card.install != nil else { return nil }
        do throws(KernelError) {
            if let prefix = prefix(of: card), try prefix.isInstalled() { return prefix.root }
        } catch {
            throw SandboxError(step: "find-packages", error)
        }
        throw SandboxError(
            step: "find-packages", cause: "the packages of card '\(card.name)' are not installed",
            hint: "connect it again: 'corral connect \(card.name)'")
    }

    func prefix(of card: RunCard) -> Prefix? {
        set.locks[card.name].map { Prefix(card: card.name, lock: $0.text, instance: instance) }
    }

    func host<Result: ~Copyable>(
        _ verb: String, _ body: () throws(KernelError) -> Result
    ) throws(Refusal) -> Result {
        do throws(KernelError) {
            return try body()
        } catch {
            throw Refusal(code: .host, message: "cannot \(verb): \(error)", errno: error.errno)
        }
    }
}
