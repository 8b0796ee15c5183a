public import YAML

/// What a tool may do: one policy file, checked and with every default filled in.
///
/// A run card can only narrow it (`RunCard.narrowed(_:)`); only an admin's file can widen it.
public struct Policy: Sendable, Equatable {
    /// The name other files refer to it by; the file's own `name` key.
    public var name: String
    /// Limits on memory, time, processes and sizes.
    public var limits: Limits
    /// Host trees a tool may see.
    public var filesystem: Filesystem
    /// Where a tool may connect to.
    public var network: Network
    /// The name of the system call profile, a file in `policies/syscalls/`.
    public var syscalls: String
    /// Whether Landlock stands behind the mounts as a second wall.
    public var landlock: Wall
    /// Whether a tool has clocks of its own, from which nothing can be told of the host's.
    public var timeNamespace: Wall
    /// How many sandboxes of each kind wait, fully confined, for a start to need them; a start that
    /// mounts a user's directories is never among those.
    public var warm: Int
    /// Package registries that the install phase may reach.
    public var registries: Registries
    /// Where the install phase may connect to.
    public var installNetwork: Network
    /// The file it was read from.
    public var file: String
    /// Where each key that the file writes has its value: `limits.memory`, `network.deny[2]`.
    public var places: [String: Place]

    /// Where a key's value stands; the file's beginning for a key that was left to its default.
    public func place(of key: String) -> Place {
        places[key] ?? Place(file: file)
    }
}

extension Policy {
    /// A limit that a run card may ask to change within bounds.
    public struct Bounded<Value: Sendable & Equatable & Comparable>: Sendable, Equatable {
        /// What holds when the card says nothing.
        public var standard: Value
        /// The most a card may ask for.
        public var max: Value

        /// Makes a limit; `standard` must not be above `max`, which the policy reader checks.
        public init(standard: Value, max: Value) {
            self.standard = standard
            self.max = max
        }
    }

    /// Limits on memory, time, processes and sizes of one sandbox.
    public struct Limits: Sendable, Equatable {
        /// Memory of the whole sandbox in bytes, by cgroup, swap 0 (never RLIMIT_AS).
        public var memory: Bounded<Int>
        /// CPU in thousandths of a core, by cgroup.
        public var cpuMillicores: Int
        /// CPU time of the whole sandbox, and of each process in it (RLIMIT_CPU).
        public var cpuTime: Duration
        /// Processes and threads, by cgroup.
        public var processes: Int
        /// Open descriptors of each process, RLIMIT_NOFILE.
        public var openFiles: Int
        /// How fast disks may be read and written, by cgroup; nil for as fast as they are.
        public var io: IO?
        /// The largest file in bytes, RLIMIT_FSIZE.
        public var fileSize: Int
        /// The private /tmp, home and /dev/shm together, in bytes.
        public var scratch: Int
        /// How long one tool call may take.
        public var callTimeout: Bounded<Duration>
        /// How long a server may take from exec to its first answer.
        public var startTimeout: Duration
        /// Address space of each process in bytes, RLIMIT_AS; nil leaves it open.
        public var addressSpace: Int?
        /// How long a sandbox may live, used or not; nil for as long as it is used.
        public var life: Duration?
        /// How long an unused server is kept.
        public var idleTimeout: Duration
        /// The largest answer in bytes.
        public var response: Int
        /// Memory of the install phase in bytes.
        public var installMemory: Int
        /// How long an installation may take.
        public var installTimeout: Duration
    }

    /// What all processes of a sandbox together may do on each disk in a second; nil for as much as
    /// they like.
    public struct IO: Sendable, Equatable {
        /// Bytes read.
        public var read: Int?
        /// Bytes written.
        public var write: Int?
        /// Requests to read.
        public var reads: Int?
        /// Requests to write.
        public var writes: Int?

        /// States no limit.
        public init() {}
    }

    /// A wall that some host cannot build, and that only an admin can do without.
    public enum Wall: String, Sendable, CaseIterable {
        /// As strong as the kernel has it; where it has none, no sandbox is started.
        case enforce
        /// Left out.
        case off
    }

    /// Host trees that a tool may see; everything else is not there.
    public struct Filesystem: Sendable, Equatable {
        /// Absolute paths mounted read-only.
        public var read: [String]
        /// Absolute paths mounted writable.
        public var write: [String]
    }

    /// Package registries that the install phase may reach.
    public struct Registries: Sendable, Equatable {
        /// The index URL handed to pip, normally `https://pypi.org/simple`.
        public var pypi: String
    }
}
