import Kernel
import Policy
import Sandbox
import YAML

/// What must hold for one running sandbox: what its policy and card said when it was started.
struct Walls: Sendable, Equatable {
    /// A host tree that the tool sees.
    struct Shown: Sendable, Equatable {
        /// Where, in the sandbox.
        var path: String
        var writable: Bool
        /// Whether the sandbox makes no sense without it; a policy's paths may be missing.
        var required: Bool
    }

    var shown: [Shown]
    var scratchBytes: Int
    var scratchInodes: Int
    var cpuSeconds: Int
    var fileBytes: Int
    var openFiles: Int
    /// 0 for no limit.
    var addressBytes: Int
    var lifeSeconds: Int?
    /// What can be reached over the network; nil for nothing.
    var network: SandboxNetwork.Kind?
    /// How many entries of `allow` it was started with.
    var grants = 0
    /// What `limits.io` does not limit, each with the reason.
    var unlimitedDisks: [String] = []
    /// Walls that the policy does without, by its key, and where that is typed.
    var off: [String: String] = [:]

    /// Keeps of a plan what can be compared later; its environment holds credentials.
    init(_ plan: LaunchPlan, of policy: Policy, prefix: String?) {
        let rules = policy.filesystem
        shown =
            rules.read.map { Shown(path: $0, writable: false, required: false) }
            + rules.write.map { Shown(path: $0, writable: true, required: false) }
            + plan.trees.map { Shown(path: $0.path, writable: $0.writable, required: true) }
        if prefix != nil {
            shown.append(Shown(path: RootTree.prefix, writable: false, required: true))
        }
        scratchBytes = plan.scratchBytes
        scratchInodes = plan.scratchInodes
        cpuSeconds = plan.cpuSeconds
        fileBytes = plan.fileBytes
        openFiles = plan.openFiles
        addressBytes = plan.addressBytes
        lifeSeconds = policy.limits.life.map { Int($0.components.seconds) }
        for (key, wall) in [
            ("landlock", policy.landlock), ("time_namespace", policy.timeNamespace),
        ] where wall == .off {
            off[key] = policy.place(of: key).description
        }
    }
}
