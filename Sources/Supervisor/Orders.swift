import Kernel
import NetworkRules
import Policy
import RunCards
import Sandbox
import SupervisorProtocol

// One place turns a policy into a sandbox: a server and a command cannot get different ones.

extension LaunchPlan {
    /// What a policy says of a sandbox, for one command in it; the uid is the nursery's to fill in.
    init(
        _ policy: Policy, hostname: String, directory: String, mounts: [RunCard.Directory],
        command: [String], environment: [String]
    ) {
        let limits = policy.limits
        self.init(
            uid: 0, scratchBytes: limits.scratch,
            cpuSeconds: Int(limits.cpuTime.components.seconds), fileBytes: limits.fileSize,
            openFiles: limits.openFiles, hostname: hostname, directory: directory,
            trees: mounts.map { Target(path: $0.path, writable: $0.writable) },
            withoutLandlock: policy.landlock == .off,
            withoutTimeNamespace: policy.timeNamespace == .off, arguments: command,
            environment: environment)
        addressBytes = limits.addressSpace ?? 0
    }
}

extension Nursery.Order {
    /// A sandbox of a policy; `tree` and the plan's mounts name its root.
    init(
        _ purpose: RunningSandbox.Purpose, _ policy: Policy, _ network: NetworkGrant,
        user: UInt32, prefix: String?, tree: [String], _ plan: LaunchPlan, on cgroups: CgroupTree
    ) throws(Refusal) {
        var plan = plan
        plan.tcp = network.tcp
        let disks: DiskLimits
        let points = plan.trees.map(\.path)
        let rules = policy.filesystem
        var walls = Walls(plan, of: policy, prefix: prefix)
        do throws(SandboxError) {
            disks = try DiskLimits(
                policy, seeing: points + (prefix.map { [$0] } ?? []), on: cgroups)
        } catch {
            throw Refusal(purpose, name: plan.hostname, error)
        }
        walls.unlimitedDisks = disks.without
        walls.network = network.kind
        walls.grants = network.rules.allow.count
        self.init(
            purpose: purpose,
            tree: TreeSource(name: tree + points) { () throws(SandboxError) in
                try RootTree.compose(rules, prefix: prefix, mountPoints: points)
            },
            profile: policy.syscalls,
            limits: .init(
                memoryBytes: policy.limits.memory.standard, processes: policy.limits.processes,
                cpuMillicores: policy.limits.cpuMillicores, disks: disks.rates),
            user: user, network: network, plan: plan, walls: walls,
            warm: policy.warm,
            idleMicroseconds: UInt64(policy.limits.idleTimeout.components.seconds) * 1_000_000,
            life: policy.limits.life)
    }
}
