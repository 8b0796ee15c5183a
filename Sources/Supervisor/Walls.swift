import Policy
import Sandbox

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
    var cpuSeconds: Int
    var fileBytes: Int
    var openFiles: Int
    /// Whether Landlock was asked for.
    var landlock: Bool

    /// Keeps of a plan what can be compared later; its environment holds credentials.
    init(_ plan: LaunchPlan, showing rules: Policy.Filesystem, prefix: String?) {
        shown =
            rules.read.map { Shown(path: $0, writable: false, required: false) }
            + rules.write.map { Shown(path: $0, writable: true, required: false) }
            + plan.trees.map { Shown(path: $0.path, writable: $0.writable, required: true) }
        if prefix != nil {
            shown.append(Shown(path: RootTree.prefix, writable: false, required: true))
        }
        scratchBytes = plan.scratchBytes
        cpuSeconds = plan.cpuSeconds
        fileBytes = plan.fileBytes
        openFiles = plan.openFiles
        landlock = !plan.withoutLandlock
    }
}
