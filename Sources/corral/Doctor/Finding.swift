/// What a host can offer, in the order in which it is told.
enum Feature: String, CaseIterable {
    case kernel
    case capabilities
    case limits = "resource limits"
    case controllers = "cgroup controllers"
    case groups = "cgroup groups"
    case diskLimits = "disk limits"
    case namespaces
    case gateway = "network gateway"
    case timeNamespace = "time namespace"
    case userNamespaces = "user namespaces"
    case seccomp
    case systemCalls = "system calls"
    case landlock
    case idMapping = "id-mapped mounts"
    case swap
    case libraries
    case python
    case disk
    case directories
    case brokerUser = "broker user"
    case egressUser = "gateway user"
    case controlGroup = "control group"
    case sandboxUsers = "sandbox users"
    case configuration
    case socket = "control socket"
}

/// What was found of one feature.
struct Finding: Equatable {
    /// How well it is, best first.
    enum State: String, Comparable {
        case ok
        /// It works without, or only root can tell.
        case warning
        case missing

        private var rank: Int { self == .ok ? 0 : self == .warning ? 1 : 2 }

        static func < (one: State, other: State) -> Bool { one.rank < other.rank }
    }

    let feature: Feature
    let state: State
    /// What there is, in one line.
    let found: String
    /// The command or change that mends it; nil when nothing is to be done.
    let remedy: String?

    init(_ feature: Feature, _ state: State, _ found: String, remedy: String? = nil) {
        self.feature = feature
        self.state = state
        self.found = found
        self.remedy = remedy
    }

    /// What only root can try.
    static func untried(_ feature: Feature) -> Finding {
        Finding(feature, .warning, "only root can try it", remedy: "sudo corral doctor")
    }
}
