import CKernel
import Testing

/// An attack and the wall that stops it. With the wall it is stopped; without it, it succeeds.
/// Walls that would stop it as well are away in both runs, so that the one is seen alone.
struct CounterProof: CustomTestStringConvertible, Sendable {
    var attack: String
    var wall: [String]
    var away: [String] = []
    /// Where the attack must end in a test that takes its wall away.
    var enough: Int?
    /// Whether it runs in a cgroup with limits.
    var isLimited = false
    /// The first Landlock ABI that has the wall; a kernel with an older one is held by others.
    var landlock: Int32 = 0

    var testDescription: String { "\(wall[0]) stops \(attack)" }

    init(
        _ attack: String, _ wall: String..., away: [String] = [], enough: Int? = nil,
        isLimited: Bool = false, landlock: Int32 = 0
    ) {
        self.attack = attack
        self.wall = wall
        self.away = away
        self.enough = enough
        self.isLimited = isLimited
        self.landlock = landlock
    }

    /// A filter and Landlock can be set without privilege only under no_new_privs (seccomp(2)).
    private static let nextToNewPrivileges = ["system-call-filter", "landlock"]
    /// Without a user namespace nothing holds the capabilities that these two need.
    private static let users = [
        "user-namespace", "map-ids", "lock-securebits", "drop-capabilities",
    ]

    /// Those whose wall this kernel has.
    static let here = all.filter { $0.landlock <= corral_landlock_version() }

    static let all: [CounterProof] =
        [
            "unshare_user", "clone_user", "clone_user_hidden", "loosen_filter", "ptrace_child",
            "child_memory", "use_keyrings", "netlink", "personality", "compare_and_steal",
            "open_by_handle", "io_uring", "odd_memory",
        ].map { CounterProof($0, "system-call-filter") } + [
            CounterProof("bounding_set", "drop-capabilities"),
            CounterProof("set_uid_program", "no-new-privileges", away: nextToNewPrivileges + users),
            CounterProof(
                "allow_new_privileges", "no-new-privileges", away: nextToNewPrivileges),
            CounterProof(
                "real_user", "user-namespace", "map-ids", "lock-securebits",
                "drop-capabilities"),
            CounterProof("reach_loopback", "network-namespace", away: ["landlock"]),
            CounterProof(
                "reach_loopback", "landlock", away: ["network-namespace"], landlock: 4),
            CounterProof(
                "abstract_socket", "network-namespace", away: ["landlock", "system-call-filter"]),
            CounterProof(
                "abstract_socket", "landlock", away: ["network-namespace", "system-call-filter"],
                landlock: 6),
            CounterProof("probe_pids", "pid-namespace"),
            CounterProof("meet_in_segment", "ipc-namespace"),
            CounterProof("boot_time", "time-namespace"),
            CounterProof("cgroup_path", "cgroup-namespace", isLimited: true),
            CounterProof("host_name", "hostname"),
            CounterProof("foreign_session", "session"),
            CounterProof("find_key", "keyring", away: ["system-call-filter"]),
            CounterProof("inherited_descriptors", "close-descriptors"),
            CounterProof("host_facts", "proc-options"),
            CounterProof("kernel_secrets", "proc-options"),
            CounterProof("exhaust_descriptors", "resource-limits", enough: 100),
            CounterProof("huge_file", "resource-limits"),
            CounterProof("message_queue", "resource-limits", away: ["landlock"]),
            CounterProof("lock_memory", "resource-limits"),
            CounterProof("raise_limits", "resource-limits"),
            CounterProof("fork_until_refused", "join-cgroups", enough: 32, isLimited: true),
            CounterProof("eat_memory", "join-cgroups", enough: 96 << 20, isLimited: true),
        ]
}
