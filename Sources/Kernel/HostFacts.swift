/// What a host offers, as tried out: values without a judgement.
public struct HostFacts: Sendable, Equatable {
    /// How an attempt went.
    public enum Trial: Sendable, Equatable {
        /// It can be done.
        case works
        /// It cannot, with the kernel's reason.
        case fails(KernelError)
        /// Only root could have tried.
        case untried
    }

    /// What limits processes.
    public struct Cgroups: Sendable, Equatable {
        /// Which version carries the controllers; nil when nothing could be read.
        public var version: CgroupHost.Version?
        /// The controllers that are there.
        public var controllers: [String]
        /// Those that are needed and not there.
        public var missing: [String]
        /// Whether a group could be made.
        public var making: Trial
        /// Whether swap counts as memory.
        public var countsSwap: Bool
        /// Whether disks can be limited.
        public var limitsDisks: Bool

        /// Describes a host's cgroups.
        public init(
            version: CgroupHost.Version?, controllers: [String], missing: [String], making: Trial,
            countsSwap: Bool, limitsDisks: Bool
        ) {
            self.version = version
            self.controllers = controllers
            self.missing = missing
            self.making = making
            self.countsSwap = countsSwap
            self.limitsDisks = limitsDisks
        }
    }

    /// Python as an installation uses it.
    public enum Python: Sendable, Equatable {
        /// There is no interpreter at the path.
        case missing
        /// It runs but cannot make a virtual environment, or has no pip; the last line it said.
        case incomplete(String)
        /// Its version and that of the pip it carries.
        case complete(version: String, pip: String)
    }

    /// The file system that the state is on.
    public struct Place: Sendable, Equatable {
        /// The directory that was looked at: the state, or the nearest one above that is there.
        public var path: String
        /// The file system's name, or its magic number.
        public var fileSystem: String
        /// Bytes that can still be written.
        public var freeBytes: UInt64
        /// Whether a mount of it could be given another owner (mount_setattr(2)).
        public var mapping: Trial

        /// Describes a place.
        public init(path: String, fileSystem: String, freeBytes: UInt64, mapping: Trial) {
            self.path = path
            self.fileSystem = fileSystem
            self.freeBytes = freeBytes
            self.mapping = mapping
        }
    }

    /// Whether the probes ran as root.
    public var isRoot: Bool
    /// The kernel's release, such as `6.1.0-18-amd64`.
    public var kernel: String
    /// Its cgroups.
    public var cgroups: Cgroups
    /// Namespaces by the names of /proc/PID/ns, `user` and `time` excepted.
    public var namespaces: [String: Trial]
    /// A network namespace with rules, as a sandbox with a network has it.
    public var gateway: Trial
    /// A time namespace with clocks of its own, which needs CAP_SYS_TIME.
    public var clocks: Trial
    /// A user namespace as a sandbox makes it: by an ordinary user, with a capability inside.
    public var userNamespace: Trial
    /// The sysctls user.max_KIND_namespaces, by kind; how many a user may have of each.
    public var namespacesMax: [String: Int]
    /// The capabilities that the probes ran with, by number; nil when they could not be read.
    public var capabilities: Set<Int>?
    /// The hard limits that the probes ran with, as /proc/PID/limits names them; -1 for none.
    public var limits: [String: Int]
    /// System calls by name.
    public var calls: [String: Trial]
    /// The ABI version of Landlock; 0 when there is none.
    public var landlock: Int
    /// Swap in bytes.
    public var swapBytes: UInt64
    /// Shared libraries by file name, and whether they load.
    public var libraries: [String: Bool]
    /// Python 3.
    public var python: Python
    /// Where the state is; nil when nothing could be looked at.
    public var place: Place?

    /// Describes a host.
    public init(
        isRoot: Bool, kernel: String, cgroups: Cgroups, namespaces: [String: Trial],
        gateway: Trial, clocks: Trial, userNamespace: Trial, namespacesMax: [String: Int],
        capabilities: Set<Int>?, limits: [String: Int], calls: [String: Trial],
        landlock: Int,
        swapBytes: UInt64, libraries: [String: Bool], python: Python, place: Place?
    ) {
        self.isRoot = isRoot
        self.kernel = kernel
        self.cgroups = cgroups
        self.namespaces = namespaces
        self.gateway = gateway
        self.clocks = clocks
        self.userNamespace = userNamespace
        self.namespacesMax = namespacesMax
        self.capabilities = capabilities
        self.limits = limits
        self.calls = calls
        self.landlock = landlock
        self.swapBytes = swapBytes
        self.libraries = libraries
        self.python = python
        self.place = place
    }
}
