import CKernel
import Testing

/// An attack and the wall that stops it. With the wall it is stopped; without it, it succeeds.
/// Walls that would stop it as well are away in both runs, so that the one is seen alone.
struct CounterProof: CustomTestStringConvertible, Sendable {
    /// What a proof needs beside a sandbox.
    enum Need: Sendable {
        /// A cgroup with limits; a wall named `cgroup.…` is one of them.
        case cgroup
        /// A cgroup that limits the disk that /usr is on.
        case disk
        /// A process outside that has the sandbox's own user.
        case twin
        /// A supervisor whom the kernel would spare when memory runs out.
        case lowScore
        /// A sandbox of the same template before it.
        case predecessor
        /// A directory of the template with a device, a set-uid program and room for everybody.
        case place
    }

    /// The attack's name in Tests/Hostile; with a script, what that tries.
    var attack: String
    /// Of the shell, instead of an attack; says `succeeded` when it did.
    var script: String?
    var wall: [String]
    var away: [String] = []
    /// What is away beside the wall, and back when the wall goes.
    var back: [String] = []
    /// Where the attack must end in a test that takes its wall away.
    var enough: Int?
    var needs: Set<Need> = []
    /// The first Landlock ABI that has the wall; a kernel with an older one is held by others.
    var landlock: Int32 = 0

    var testDescription: String { "\(wall[0]) stops \(attack)" }

    init(
        _ attack: String, _ wall: String..., away: [String] = [], back: [String] = [],
        enough: Int? = nil, needs: Set<Need> = [], landlock: Int32 = 0, script: String? = nil
    ) {
        self.attack = attack
        self.script = script.map { "\($0) && echo succeeded || echo stopped" }
        self.wall = wall
        self.away = away
        self.back = back
        self.enough = enough
        self.needs = needs
        self.landlock = landlock
    }

    /// A filter and Landlock can be set without privilege only under no_new_privs (seccomp(2)).
    static let nextToNewPrivileges = ["system-call-filter", "landlock"]
    /// Without a user namespace nothing holds the capabilities that the last two need.
    static let users = ["user-namespace", "map-ids", "lock-securebits", "drop-capabilities"]
    /// The tool is root of the host then, in all but its namespaces: for scripts of ours alone.
    static let allOfRoot = nextToNewPrivileges + users + ["no-new-privileges", "drop-user"]

    /// Those whose wall this kernel has.
    static let here = all.filter {
        $0.landlock <= corral_landlock_version() && !$0.needs.contains(.lowScore)
            && (!$0.needs.contains(.disk) || LimitedGroup.mayLimitDisks)
    }

    static let all = kernel + privileges + namespaces + files + limits
}

extension CounterProof {
    private static let kernel: [CounterProof] =
        [
            "unshare_user", "clone_user", "clone_user_hidden", "loosen_filter", "ptrace_child",
            "child_memory", "use_keyrings", "netlink", "personality", "compare_and_steal",
            "open_by_handle", "io_uring", "odd_memory",
        ].map { CounterProof($0, "system-call-filter") } + [
            CounterProof("find_key", "keyring", away: ["system-call-filter"]),
            CounterProof("inherited_descriptors", "close-descriptors"),
            CounterProof("foreign_session", "session"),
        ]

    private static let privileges = [
        CounterProof("join_groups", "drop-groups"),
        // Root without a capability where the wall is gone, since the attacks refuse more.
        CounterProof(
            "change_user", "drop-user", away: users, back: ["lock-securebits", "drop-capabilities"]
        ),
        CounterProof(
            "real_user", "user-namespace", "map-ids", "lock-securebits", "drop-capabilities"),
        CounterProof("user_map", "map-ids"),
        CounterProof("bounding_set", "drop-capabilities"),
        CounterProof(
            "root's programs have root's capabilities", "lock-securebits",
            away: allOfRoot.filter { $0 != "lock-securebits" },
            script: "grep -q 'CapEff:.*[1-9a-f]' /proc/self/status"),
        CounterProof("set_uid_program", "no-new-privileges", away: nextToNewPrivileges + users),
        CounterProof("allow_new_privileges", "no-new-privileges", away: nextToNewPrivileges),
    ]

    private static let namespaces = [
        CounterProof("reach_loopback", "network-namespace", away: ["landlock"]),
        CounterProof("reach_loopback", "landlock", away: ["network-namespace"], landlock: 4),
        CounterProof(
            "abstract_socket", "network-namespace", away: ["landlock", "system-call-filter"]),
        CounterProof(
            "abstract_socket", "landlock", away: ["network-namespace", "system-call-filter"],
            landlock: 6),
        CounterProof("signal_twin", "pid-namespace", away: ["landlock"], needs: [.twin]),
        CounterProof(
            "signal_twin", "landlock", away: ["pid-namespace"], needs: [.twin], landlock: 6),
        CounterProof("probe_pids", "pid-namespace"),
        CounterProof("meet_in_segment", "ipc-namespace"),
        CounterProof("boot_time", "time-namespace"),
        CounterProof("cgroup_path", "cgroup-namespace", needs: [.cgroup]),
        CounterProof("host_name", "hostname"),
        // The host's name itself would be changed by the next step.
        CounterProof(
            "hears the host's names", "uts-namespace", away: ["hostname"],
            script: #"[ "$(readlink /proc/self/ns/uts)" = "$HOST_UTS" ]"#),
        CounterProof(
            "finds the mounts of a sandbox before it", "sandbox-mount-namespace",
            needs: [.predecessor], script: "[ $(grep -c ' /tmp ' /proc/self/mountinfo) -gt 1 ]"),
    ]

    private static let files = [
        // As root without a capability: to others the modes of these directories say no as well.
        CounterProof(
            "write_outside", "seal-root",
            away: ["drop-user", "user-namespace", "map-ids", "landlock"]),
        CounterProof(
            "writes into a tree that is for reading", "tree-read-only", away: ["landlock"],
            needs: [.place], script: "echo x 2>&- >PLACE/file"),
        CounterProof(
            "writes into a tree that is for reading", "landlock", away: ["tree-read-only"],
            needs: [.place], script: "echo x 2>&- >PLACE/file"),
        CounterProof(
            "opens a device of a tree", "tree-nodev", needs: [.place],
            script: "head -c 1 PLACE/zero >/dev/null"),
        CounterProof(
            "runs a set-uid program of a tree", "tree-nosuid",
            away: nextToNewPrivileges + users + ["no-new-privileges"], needs: [.place],
            script: #"[ "$(PLACE/id -u)" = 0 ]"#),
        CounterProof(
            "opens a device of its own", "scratch-nodev", away: allOfRoot,
            script: "mknod /tmp/zero c 1 5 && head -c 1 /tmp/zero >/dev/null"),
        CounterProof(
            "makes a set-uid program that works", "scratch-nosuid", away: allOfRoot,
            script: """
                cp /usr/bin/id /tmp/id && chmod 4755 /tmp/id \
                && [ "$(setpriv --reuid 1234 /tmp/id -u)" = 0 ]
                """),
        CounterProof("guard_command", "proc-hidepid"),
        CounterProof("host_facts", "proc-subset"),
        CounterProof("kernel_secrets", "proc-subset"),
    ]

    private static let limits = [
        CounterProof("raise_limits", "resource-limits"),
        CounterProof("core_dump", "limit-core", away: ["system-call-filter"]),
        CounterProof("message_queue", "limit-message-queue", away: ["landlock"]),
        CounterProof("lock_memory", "limit-locked-memory"),
        CounterProof("burn_time", "limit-cpu-time", enough: 3),
        CounterProof("huge_file", "limit-file-size"),
        CounterProof("exhaust_descriptors", "limit-open-files", enough: 100),
        CounterProof("fill_scratch", "scratch-size", away: ["limit-file-size"], enough: 24 << 20),
        CounterProof("fill_inodes", "scratch-inodes", enough: 4000),
        CounterProof("oom_score", "oom-score", needs: [.lowScore]),
        CounterProof("fork_until_refused", "join-cgroups", enough: 32, needs: [.cgroup]),
        CounterProof("fork_until_refused", "cgroup.pids", enough: 32, needs: [.cgroup]),
        CounterProof("eat_memory", "join-cgroups", enough: 96 << 20, needs: [.cgroup]),
        CounterProof("eat_memory", "cgroup.memory", enough: 96 << 20, needs: [.cgroup]),
        CounterProof("read_disk", "cgroup.io", needs: [.cgroup, .disk]),
    ]
}
