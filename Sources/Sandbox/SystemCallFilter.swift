import CSeccomp
import Glibc
import Kernel
public import Policy

/// A system call profile as the kernel takes it: BPF instructions (seccomp(2)).
public struct SystemCallFilter: Sendable, Equatable {
    /// One `struct sock_filter` each, as a 64-bit number in this machine's byte order.
    public let instructions: [UInt64]
    /// What a zygote loads once, for all that it clones: the whole filter, but for the calls that
    /// it and they make until they are confined.
    let ahead: [UInt64]
    /// What is left for each sandbox to load: those calls.
    let rest: [UInt64]

    /// The instructions as bytes in this machine's order, for a process that loads them itself.
    public var bytes: [UInt8] {
        instructions.flatMap { instruction in
            (0..<8).map { UInt8(truncatingIfNeeded: instruction >> UInt64(8 * $0)) }
        }
    }

    /// The kernel's bound on a filter, BPF_MAXINSNS.
    private static let mostInstructions = 4096

    /// Compiles a profile for this machine's architecture, as a binary tree of comparisons.
    ///
    /// Calls of any other architecture (32-bit, x32) kill the process.
    public init(compiling profile: SyscallProfile) throws(SandboxError) {
        let compiled = try Self.compile(profile)
        instructions = CompactFilter.compact(compiled) ?? compiled
        let split = CompactFilter.split(compiled, allowing: Self.launcherCalls)
        // One that is not understood is loaded whole, and nothing of it ahead.
        ahead = split?.ahead ?? [BPF.answer(SCMP_ACT_ALLOW).raw]
        rest = split?.rest ?? instructions
    }

    /// How many filters a sandbox has that its supervisor does not: both parts.
    public static let partCount = 2

    /// What the launcher does to confine a sandbox, and no tool needs to do: which of these a
    /// profile allows, and with which arguments, is decided when a sandbox is confined.
    private static let launcherCalls = Set(
        launcherCallNames.compactMap { name in
            UInt32(exactly: unsafe seccomp_syscall_resolve_name(name))
        })
    private static let launcherCallNames = [
        "clone3", "keyctl", "mount", "move_mount", "prlimit64", "setgroups", "sethostname", "setns",
        "unshare",
    ]

    /// The profile as libseccomp puts it.
    static func compile(_ profile: SyscallProfile) throws(SandboxError) -> [UInt64] {
        let standard = Self.action(profile.standard)
        // The context is freed on every way out; nothing else holds it.
        guard let context = unsafe seccomp_init(standard) else {
            throw SandboxError(step: "compile-filter", cause: "libseccomp gave no context")
        }
        defer { unsafe seccomp_release(context) }
        let attributes: [(scmp_filter_attr, UInt32)] = [
            (SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
            (SCMP_FLTATR_CTL_NNP, 0),  // a launch step of its own
            (SCMP_FLTATR_CTL_OPTIMIZE, 2),
        ]
        for (attribute, value) in attributes {
            try Self.succeed(unsafe seccomp_attr_set(context, attribute, value), "an attribute")
        }
        for rule in profile.rules {
            let number = unsafe seccomp_syscall_resolve_name(rule.call)
            guard number != __NR_SCMP_ERROR else {
                throw SandboxError(
                    step: "compile-filter",
                    cause: "profile '\(profile.name)' names the unknown system call '\(rule.call)'",
                    hint: "is it spelled as in its man page?")
            }
            let tests = rule.comparisons.map(Self.test)
            let result = unsafe seccomp_rule_add_array(
                context, Self.action(rule.action), number, UInt32(tests.count), tests)
            try Self.succeed(result, "the rule for '\(rule.call)' of profile '\(profile.name)'")
        }
        return try unsafe Self.export(context)
    }

    private static func succeed(_ result: CInt, _ object: String) throws(SandboxError) {
        guard result == 0 else {
            throw SandboxError(
                step: "compile-filter",
                cause: "libseccomp refuses \(object): \(KernelError.reason(-result))",
                errno: -result)
        }
    }

    /// The values of SCMP_ACT_*, whose function-like macros Swift does not see.
    private static func action(_ action: SyscallProfile.Action) -> UInt32 {
        switch action {
        case .allow: SCMP_ACT_ALLOW
        case .errno(let name): 0x0005_0000 | UInt32(name.number)
        case .kill: SCMP_ACT_KILL_PROCESS
        }
    }

    private static func test(_ test: SyscallProfile.ArgumentTest) -> scmp_arg_cmp {
        let comparison: scmp_compare =
            switch test.comparison {
            case .eq: SCMP_CMP_EQ
            case .ne, .maskedNotEqual: SCMP_CMP_NE
            case .maskedEqual: SCMP_CMP_MASKED_EQ
            case .lt: SCMP_CMP_LT
            case .le: SCMP_CMP_LE
            case .gt: SCMP_CMP_GT
            case .ge: SCMP_CMP_GE
            }
        let masked = test.comparison == .maskedEqual
        return scmp_arg_cmp(
            arg: UInt32(test.argument), op: comparison,
            datum_a: masked ? test.mask : test.value, datum_b: masked ? test.value : 0)
    }

    /// Exports through a pipe: at most 32 KiB, which a pipe's 64 KiB hold without a reader.
    private static func export(_ context: scmp_filter_ctx) throws(SandboxError) -> [UInt64] {
        do throws(KernelError) {
            let bytes = try Pipe().split { read, write throws(KernelError) in
                let raw = write.raw
                let result = unsafe seccomp_export_bpf(context, raw)
                guard result == 0 else {
                    throw KernelError("seccomp_export_bpf", errno: -result)
                }
                _ = consume write
                return try read.readAll(limit: mostInstructions * 8, from: "filter")
            }
            return stride(from: 0, to: bytes.count, by: 8).map { start in
                (0..<8).reduce(0) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) }
            }
        } catch {
            throw SandboxError(step: "compile-filter", error)
        }
    }
}
