import Configuration
import Glibc
import Kernel
import Policy
import RunCards
import Sandbox
import SupervisorProtocol

extension Supervisor {
    /// Installs a card's packages, or says that they are there; equal requests share one.
    func install(_ id: UInt64, _ name: String) throws(KernelError) {
        guard let card = set.cards[name], let policy = set.narrowed[name] else {
            return try refuse(
                id, .notAllowed, "cannot install '\(name)': no run card has this name")
        }
        guard let prefix = prefix(of: card), card.install != nil else {
            return try send(.installed(id: id, fresh: false))
        }
        if try prefix.isInstalled() { return try send(.installed(id: id, fresh: false)) }
        if let running = installations[prefix.name] { return running.waiting.append(id) }
        guard installations.count < Limit.installations, stopping == nil else {
            return try refuse(
                id, .host,
                "cannot install '\(name)': \(Limit.installations) installations run already "
                    + "(try again in a minute)")
        }
        try begin(id, card, policy, prefix)
    }

    private func refuse(
        _ id: UInt64, _ code: Refusal.Code, _ message: String
    ) throws(KernelError) {
        try send(.refused(id: id, Refusal(code: code, message: message)))
    }

    private func begin(
        _ id: UInt64, _ card: RunCard, _ policy: Policy, _ prefix: Prefix
    ) throws(KernelError) {
        let certificates = try Files.status(Installation.certificates) != nil
        let log = try Pipe()
        let reader = try log.read.duplicate()
        let installation = try log.split { _, write throws(KernelError) in
            Installation(
                card: card, policy: policy, prefix: prefix, request: id, log: write,
                certificates: certificates)
        }
        installations[prefix.name] = installation
        try send(.installing(id: id), descriptors: [reader.raw])
        journal.event("installing", [("card", card.name), ("prefix", prefix.name)])
        do throws(KernelError) {
            try installation.prepare(owner: nursery.uids.installer)
        } catch {
            return try fail(installation, step: "prepare", cause: error.description)
        }
        try next(installation)
    }

    /// Starts the next step, or seals what is finished.
    private func next(_ installation: Installation) throws(KernelError) {
        guard !installation.steps.isEmpty else { return try finish(installation) }
        let sandbox: RunningSandbox
        do throws(Refusal) {
            sandbox = try makingRoom { () throws(Refusal) in try clone(installation) }
        } catch {
            return try fail(installation, step: error.step, cause: error.message)
        }
        try watch(sandbox)
    }

    private func clone(_ installation: Installation) throws(Refusal) -> RunningSandbox {
        let owner = nursery.uids.installer
        let order = try installation.order(on: nursery.cgroups)
        let streams = try installation.streams()
        return try nursery.start(order, streams: streams) { uid throws(Refusal) in
            try installation.refusableTrees(owner: owner, sandbox: uid)
        }
    }

    /// A step's sandbox is gone.
    func stepEnded(
        _ prefix: String, _ sandbox: RunningSandbox, _ ended: (status: Int32, signal: Int32),
        _ usage: Usage
    ) throws(KernelError) {
        guard let installation = installations[prefix], let step = installation.steps.first else {
            return
        }
        if let failure = sandbox.failure {
            return try fail(installation, step: step.name, cause: failure.description)
        }
        if usage.memoryKills > 0 {
            let limit = usage.memoryLimitBytes >> 20
            return try fail(
                installation, step: step.name,
                cause: "memory_exceeded (\(limit) MiB; see install.memory in the policy)")
        }
        if sandbox.cause == .cpuTime {
            return try fail(
                installation, step: step.name, cause: "cpu_exceeded (see limits.cpu_time)")
        }
        guard ended.status == 0 else {
            let how = ended.signal == 0 ? "exit status \(ended.status)" : "signal \(ended.signal)"
            return try fail(installation, step: step.name, cause: how)
        }
        installation.steps.removeFirst()
        try next(installation)
    }

    private func finish(_ installation: Installation) throws(KernelError) {
        do throws(KernelError) {
            try installation.seal()
        } catch {
            return try fail(installation, step: "seal", cause: error.description)
        }
        installations[installation.prefix.name] = nil
        nursery.templates.forget(installation.treeName)
        journal.event("installed", [("card", installation.card.name)])
        for id in installation.waiting { try send(.installed(id: id, fresh: true)) }
    }

    private func fail(
        _ installation: Installation, step: String, cause: String
    ) throws(KernelError) {
        installations[installation.prefix.name] = nil
        nursery.templates.forget(installation.treeName)
        do throws(KernelError) {
            try installation.abandon()
        } catch {
            journal.event("installation-left", [("cause", error.description)])
        }
        journal.event("install-failed", [("card", installation.card.name), ("step", step)])
        let refusal = Refusal(
            code: .install,
            message: "cannot install '\(installation.card.name)': \(step): \(cause)", step: step)
        for id in installation.waiting { try send(.refused(id: id, refusal)) }
    }
}

extension Installation {
    fileprivate func refusableTrees(owner: UInt32, sandbox: UInt32) throws(Refusal) -> Trees {
        do throws(KernelError) {
            return try trees(owner: owner, sandbox: sandbox)
        } catch {
            throw Refusal(
                code: .install,
                message: "\(error) (the state directory must be on a file system with id-mapped "
                    + "mounts: ext4, xfs, btrfs, or tmpfs since Linux 6.3)",
                step: "mount-prefix")
        }
    }

    /// Nothing to read, and one place to write.
    fileprivate func streams() throws(Refusal) -> Streams {
        do throws(KernelError) {
            let input = try Descriptor.open("/dev/null", O_RDONLY)
            let output = try log.duplicate()
            return Streams(input: input, output: output, errors: try log.duplicate())
        } catch {
            throw Refusal(code: .host, message: error.description, step: "make-pipes")
        }
    }
}
