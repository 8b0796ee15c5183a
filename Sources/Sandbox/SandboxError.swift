public import Kernel

/// A sandbox that could not be prepared or started: which step, and why.
public struct SandboxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The step's name, as in the launcher's tables or here: `compile-filter`, `spawn`, …
    public let step: String
    /// The reason in words.
    public let cause: String
    /// The error number where a system call failed, else 0.
    public let errno: Int32
    /// What to do about it; empty when there is nothing more to say.
    public let hint: String

    /// Describes a failed step.
    public init(step: String, cause: String, errno: Int32 = 0, hint: String = "") {
        self.step = step
        self.cause = cause
        self.errno = errno
        self.hint = hint
    }

    /// Describes a step of ours that a system call failed in.
    public init(step: String, _ error: KernelError, hint: String = "") {
        self.init(step: step, cause: error.description, errno: error.errno, hint: hint)
    }

    /// Describes a step that the launcher reported.
    init(launcherStep step: String, errno: Int32) {
        self.init(
            step: step, cause: KernelError.reason(errno), errno: errno,
            hint: Self.hint(step: step))
    }

    /// `STEP: CAUSE (HINT)`, to be set behind `cannot start 'NAME': `.
    public var description: String {
        hint.isEmpty ? "\(step): \(cause)" : "\(step): \(cause) (\(hint))"
    }

    private static func hint(step: String) -> String {
        switch step {
        case "execute":
            "is the command there, inside the sandbox? see filesystem.read in its policy"
        case "user-namespace":
            "user namespaces are switched off: see sysctl user.max_user_namespaces"
        case "open-sources": "a path in filesystem.read or filesystem.write cannot be opened"
        case "clone", "mount-namespace", "private-mounts": "corrald needs CAP_SYS_ADMIN"
        case "join-cgroups": "corrald needs a cgroup of its own: Delegate=yes under systemd"
        case "time-namespace":
            "corrald needs CAP_SYS_TIME and a kernel with time namespaces, see 'corral doctor'; or "
                + "type 'time_namespace: off' into the policy"
        case "resource-limits":
            "corrald's own limits are lower: it needs LimitCORE=infinity, or CAP_SYS_RESOURCE"
        case "landlock":
            "this kernel has no Landlock: add it to lsm= on its command line, or type "
                + "'landlock: off' into the policy"
        case "system-call-filter": "the kernel refuses the policy's system call profile"
        default: ""
        }
    }
}
