import Kernel
import Policy
import Sandbox

/// What a policy's `limits.io` comes to for one sandbox: which disks it holds back, and what is on
/// none that it could.
struct DiskLimits {
    /// For the kernel; nil when the policy limits nothing.
    var rates: Cgroup.DiskRates?
    /// Mounts in the sandbox that it does not limit, each with the reason.
    var without: [String] = []

    /// Looks where the trees of a sandbox are: those of its policy, whose links are followed, and
    /// `own`, which have none in them.
    init(
        _ policy: Policy, seeing own: [String], on cgroups: CgroupTree
    ) throws(SandboxError) {
        guard let io = policy.limits.io else { return }
        guard cgroups.limitsDisks else {
            throw Self.error(
                policy, "this host has no controller of disks",
                hint: "it is io in version 2, which Delegate=yes hands on, and blkio in version 1; "
                    + "see 'corral doctor'")
        }
        let disks: Disks
        do throws(KernelError) {
            let rules = policy.filesystem
            disks = try Disks(below: rules.read + rules.write, and: own)
        } catch {
            throw SandboxError(step: Self.step, error)
        }
        guard !disks.numbers.isEmpty else {
            throw Self.error(
                policy,
                "nothing that it shows is on a disk"
                    + disks.without.map { "; " + $0 }.joined(),
                hint: "take limits.io out, or keep the files on a disk of the kernel's own")
        }
        rates = Cgroup.DiskRates(
            readBytes: io.read, writeBytes: io.write, reads: io.reads, writes: io.writes,
            disks: disks.numbers)
        without = disks.without
    }

    private static let step = "limit-io"

    private static func error(_ policy: Policy, _ cause: String, hint: String) -> SandboxError {
        SandboxError(
            step: step,
            cause: "policy '\(policy.name)' asks for limits.io "
                + "(\(policy.place(of: "limits.io"))), and \(cause)",
            hint: hint)
    }
}
