import Configuration
import Glibc
import Kernel
import Policy
import RunCards
import Sandbox
import SupervisorProtocol
import YAML

/// A command to run, checked against the policies and access rules that this process read itself.
/// Pure.
struct RunResolution: Equatable {
    let policy: Policy
    let command: [String]
    /// `NAME=value` lines.
    let environment: [String]
    /// Parents before what lies in them, so that neither hides the other.
    let mounts: [RunCard.Directory]
    /// Where the command starts.
    let directory: String
    /// What it has of the network.
    let network: NetworkGrant

    /// Checks a request of `caller`; nil is root without a daemon, whom no access rule concerns.
    init(_ request: Request.Run, set: PolicySet, caller: Caller?) throws(Refusal) {
        guard let name = request.command.first, !name.isEmpty else {
            throw Self.mistake("cannot run '': there is no command")
        }
        guard let named = set.policies[request.policy] else {
            throw Refusal(
                code: .notAllowed,
                message: "cannot run '\(name)': no policy is named '\(request.policy)'"
                    + Self.hint(set.policies.keys.sorted()))
        }
        // Without a broker it is root who asks, whatever number stands in the request.
        let isRoot = caller == nil || request.user == 0
        let policy = try Self.policy(named, request.allow, isRoot: isRoot, for: name)
        self.policy = policy
        network = NetworkGrant(
            policy, policy.egressRules,
            source: .run(policy: policy.name, allow: request.allow, isRoot: isRoot),
            owner: "run \(caller?.user ?? "root")")
        if let caller {
            let verdict = set.access.decide(user: caller, policy: policy.name)
            guard verdict.isAllowed else {
                throw Refusal(
                    code: .notAllowed,
                    message: "cannot run '\(name)' for user '\(caller.user)' with policy "
                        + "'\(policy.name)': \(verdict.place): \(verdict.rule) "
                        + "(see 'run' in the access rules)")
            }
        }
        command = request.command
        environment = try Self.environment(request)
        mounts = try Self.mounts(request)
        for mount in mounts {
            guard let caller else { break }
            let verdict = set.access.decide(
                user: caller, policy: policy.name, directory: mount.path)
            guard verdict.isAllowed else {
                throw Refusal(mounting: mount.path, for: caller, verdict)
            }
        }
        let seen = mounts.map(\.path) + policy.filesystem.read + policy.filesystem.write
        let isSeen = seen.contains { RootTree.contains($0, request.directory) }
        directory = isSeen ? request.directory : RootTree.home
    }

    private static func mistake(_ message: String) -> Refusal {
        Refusal(code: .badSetting, message: message)
    }

    /// The policy with the destinations that were asked for.
    private static func policy(
        _ policy: Policy, _ allow: [String], isRoot: Bool, for name: String
    ) throws(Refusal) -> Policy {
        do throws(Wrong) {
            return try policy.allowing(allow, isRoot: isRoot)
        } catch {
            throw Refusal(code: .notAllowed, message: "cannot run '\(name)': \(error.message)")
        }
    }

    private static func hint(_ names: [String]) -> String {
        names.isEmpty ? "" : " (there are: \(names.joined(separator: ", ")))"
    }

    private static func environment(_ request: Request.Run) throws(Refusal) -> [String] {
        var lines: [String] = []
        for field in request.environment {
            let isName = field.name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
            guard isName, let first = field.name.first, !first.isNumber else {
                throw mistake(
                    "cannot set '\(field.name)': a variable's name has letters, digits and _")
            }
            lines.append("\(field.name)=\(field.value)")
        }
        return Resolution.merged(Resolution.standardEnvironment + lines)
    }

    private static func mounts(_ request: Request.Run) throws(Refusal) -> [RunCard.Directory] {
        var mounts: [String: RunCard.Directory] = [:]
        for mount in request.mounts {
            do throws(Wrong) {
                try checkPath(mount.path)
            } catch {
                throw mistake("cannot mount '\(mount.path)': \(error.message)")
            }
            if let place = RootTree.conflict(of: mount.path) {
                throw mistake(
                    "cannot mount '\(mount.path)': the sandbox has its own '\(place)' "
                        + "(choose a directory elsewhere, for example below your home)")
            }
            let directory = RunCard.Directory(path: mount.path, writable: mount.writable)
            guard mounts.updateValue(directory, forKey: mount.path) == nil else {
                throw mistake("cannot mount '\(mount.path)': it is given twice")
            }
        }
        guard mounts.count <= Limit.mounts else {
            throw mistake(
                "cannot run '\(request.command.first ?? "")': \(mounts.count) mounts are more than "
                    + "\(Limit.mounts) (mount a directory that holds them)")
        }
        return mounts.values.sorted { $0.path < $1.path }
    }
}

extension Supervisor {
    /// Signals that a user may send to a command: what a terminal or a script sends to end, to
    /// stop or to tell something, and SIGKILL, which ends the whole sandbox.
    static let signals: Set<Int32> = [
        SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGUSR1, SIGUSR2, SIGTERM, SIGCONT, SIGTSTP, SIGWINCH,
    ]

    /// Runs a command in a sandbox of its own.
    func run(_ request: Request.Run) throws(KernelError) {
        let sandbox: RunningSandbox
        do throws(Refusal) {
            sandbox = try makingRoom { () throws(Refusal) in try clone(request) }
        } catch {
            journal.event("run-refused", [("policy", request.policy), ("cause", error.message)])
            return try send(.refused(id: request.id, error))
        }
        try watch(sandbox)
    }

    /// Sends a signal to pid 1 of a command's sandbox, which passes it on; a server's gets SIGTERM
    /// alone.
    func signal(_ id: UInt64, _ number: Int32) throws(KernelError) {
        guard let sandbox = sandboxes[id], sandbox.announced, Self.signals.contains(number) else {
            return
        }
        switch sandbox.purpose {
        case .run: break
        case .server where number == SIGTERM: break
        case .server, .installation, .spare: return
        }
        try number == SIGKILL ? sandbox.kill() : sandbox.child.signal(number)
    }

    private func clone(_ request: Request.Run) throws(Refusal) -> RunningSandbox {
        let name = request.command.first ?? ""
        try admit("run", name)
        let accounts = try host("read the accounts") { () throws(KernelError) -> Accounts in
            try self.accounts.current()
        }
        // Without a broker it is root's own process that asks.
        let user = accounts.user(door == nil ? 0 : request.user)
        let groups = accounts.groups(of: user)
        let resolution = try RunResolution(
            request, set: set, caller: door == nil ? nil : accounts.caller(request.user))
        return try nursery.start(try order(request, resolution)) { uid throws(Refusal) in
            var trees = Trees()
            for mount in resolution.mounts {
                trees.append(try UserDirectory.tree(mount, of: user, groups: groups, sandbox: uid))
            }
            return trees
        }
    }

    private func order(
        _ request: Request.Run, _ resolution: RunResolution
    ) throws(Refusal) -> Nursery.Order {
        let policy = resolution.policy
        return try Nursery.Order(
            .run(request: request.id, command: resolution.command.first ?? ""), policy,
            resolution.network, user: request.user, prefix: nil,
            tree: ["command", policy.name],
            LaunchPlan(
                policy, hostname: policy.name, directory: resolution.directory,
                mounts: resolution.mounts, command: resolution.command,
                environment: resolution.environment), on: nursery.cgroups)
    }
}
