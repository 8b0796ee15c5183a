import CLaunch

/// One sandbox to start in a tree: who, how much, and which command.
public struct LaunchPlan: Sendable, Equatable {
    /// The host's uid and gid that it runs as: its own, nobody else's, never 0.
    public var uid: UInt32
    /// What it may do over TCP, as the second wall has it; where that leads is the network
    /// namespace's.
    public var tcp: TCP
    /// The private /tmp, home and /dev/shm together, in bytes.
    public var scratchBytes: Int
    /// RLIMIT_CPU of each process, in seconds.
    public var cpuSeconds: Int
    /// RLIMIT_FSIZE in bytes.
    public var fileBytes: Int
    /// RLIMIT_AS in bytes, or 0 for none.
    public var addressBytes = 0
    /// RLIMIT_NOFILE.
    public var openFiles: Int
    /// The name it sees as the host's.
    public var hostname: String
    /// Where it starts, absolute, in the sandbox.
    public var directory: String
    /// Where each tree that is passed along is mounted.
    public var trees: [Target]
    /// Whether the second wall is left out, which only a policy can ask for.
    public var withoutLandlock: Bool
    /// Whether it keeps the host's clocks, which only a policy can ask for.
    public var withoutTimeNamespace: Bool
    /// The command's words; the first is looked up in the usual places unless it has a slash.
    public var arguments: [String]
    /// `NAME=value`, the whole environment.
    public var environment: [String]

    /// What Landlock leaves open of TCP.
    public enum TCP: Sendable, Equatable {
        /// Nothing.
        case none
        /// Connections from it to anywhere.
        case connect
        /// Connections among its own processes too.
        case all
    }

    /// Where a tree is mounted.
    public struct Target: Sendable, Equatable {
        /// Absolute, in the sandbox.
        public var path: String
        /// Whether the tool may write there.
        public var writable: Bool

        /// Names a place.
        public init(path: String, writable: Bool) {
            self.path = path
            self.writable = writable
        }
    }

    /// An inode for each this many bytes of scratch: a flood of empty files ends like a large one.
    private static let bytesPerInode = 4096

    /// Files and directories that the scratch has room for.
    public var scratchInodes: Int { scratchBytes / Self.bytesPerInode }

    /// Describes one start.
    public init(
        uid: UInt32, tcp: TCP = .none, scratchBytes: Int, cpuSeconds: Int, fileBytes: Int,
        openFiles: Int, hostname: String, directory: String, trees: [Target] = [],
        withoutLandlock: Bool = false, withoutTimeNamespace: Bool = false, arguments: [String],
        environment: [String]
    ) {
        self.uid = uid
        self.tcp = tcp
        self.scratchBytes = scratchBytes
        self.cpuSeconds = cpuSeconds
        self.fileBytes = fileBytes
        self.openFiles = openFiles
        self.hostname = hostname
        self.directory = directory
        self.trees = trees
        self.withoutLandlock = withoutLandlock
        self.withoutTimeNamespace = withoutTimeNamespace
        self.arguments = arguments
        self.environment = environment
    }

    private var flags: UInt64 {
        (tcp == .none ? 0 : UInt64(CORRAL_LAUNCH_TCP_CONNECT))
            | (tcp == .all ? UInt64(CORRAL_LAUNCH_TCP_BIND) : 0)
            | (withoutLandlock ? UInt64(CORRAL_LAUNCH_NO_LANDLOCK) : 0)
            | (withoutTimeNamespace ? UInt64(CORRAL_LAUNCH_NO_TIME_NAMESPACE) : 0)
    }

    /// Namespaces of the host that it keeps, by the names of /proc/PID/ns.
    public var keptNamespaces: Set<String> {
        withoutTimeNamespace ? ["time"] : []
    }

    /// How a plan is carried out beyond what it says.
    struct Means: OptionSet {
        let rawValue: UInt64
        /// In a network namespace that comes along.
        static let network = Means(rawValue: UInt64(CORRAL_LAUNCH_NETWORK))
        /// Without a command, which comes later.
        static let wait = Means(rawValue: UInt64(CORRAL_LAUNCH_WAIT))
        /// Born into the cgroup whose directory comes along.
        static let born = Means(rawValue: UInt64(CORRAL_LAUNCH_BORN_IN_GROUP))
        /// In the cgroups that the zygote has joined for it.
        static let joined = Means(rawValue: UInt64(CORRAL_LAUNCH_JOINED))
    }

    /// The datagram for corral-launch; nil when it is beyond the launcher's limits.
    func datagram(groups: Int, _ means: Means = []) -> [UInt8]? {
        guard
            arguments.count <= Int(CORRAL_PLAN_ARGUMENTS), trees.count <= Int(CORRAL_PLAN_TREES),
            environment.count <= Int(CORRAL_PLAN_ENVIRONMENT), groups <= Int(CORRAL_PLAN_GROUPS)
        else { return nil }
        let texts = [hostname, directory] + trees.map(\.path) + arguments + environment
        return PlanWriter.datagram(texts) { out in
            out.put(UInt64(CORRAL_PLAN_LAUNCH))
            out.put(flags | means.rawValue)
            out.put(UInt64(uid))
            out.put(scratchBytes)
            out.put(scratchInodes)
            out.put(cpuSeconds)
            out.put(fileBytes)
            out.put(openFiles)
            out.put(addressBytes)
            out.put(hostname)
            out.put(directory)
            out.put(groups)
            out.put(trees.count)
            for tree in trees {
                out.put(tree.path)
                out.put(tree.writable ? 1 : 0)
            }
            out.put(arguments)
            out.put(environment)
        }
    }
}
