/// What the broker may ask of the supervisor, and what the supervisor tells it: the whole of the
/// conversation between the unprivileged and the root half.
///
/// One message is one SOCK_SEQPACKET datagram (unix(7)): a 4-byte little-endian length of what
/// follows, a 1-byte tag, the fields in order. Strings and lists carry a 4-byte length. The root
/// half trusts no field: every name is looked up again in the policies and cards it read itself.
public enum Request: Sendable, Equatable {
    /// Opens the conversation; the supervisor closes it when the version differs from its own.
    case hello(version: UInt32)
    /// Starts the server of a card in a sandbox of its own.
    case start(Start)
    /// Installs a card's packages, unless they are there already.
    case install(id: UInt64, card: String)
    /// Kills a sandbox and everything in it; `exited` follows.
    case kill(sandbox: UInt64)
    /// Asks what a running sandbox has used and which limits it has met.
    case usage(id: UInt64, sandbox: UInt64)
    /// Asks what the kernel says of a running sandbox, beside what its policy wants.
    case posture(id: UInt64, sandbox: UInt64)
    /// Runs a command of a user's own in a sandbox of its own; answered as `start` is.
    case run(Run)
    /// Passes a signal on to a command that runs.
    case signal(sandbox: UInt64, number: Int32)
    /// Asks for the policies, cards and access rules to be read anew; an administrator's wish.
    case reload(id: UInt64)
}

extension Request {
    /// One server to start.
    public struct Start: Sendable, Equatable {
        /// The broker's number for this request.
        public var id: UInt64
        /// The user it runs for; decides which host paths may be mounted.
        public var user: UInt32
        /// The connection's UUID as text, for names of cgroups and logs.
        public var connection: String
        /// The run card's name.
        public var card: String
        /// The user's settings, each allowed by the card. A `words` setting has several values.
        public var settings: [Setting]
        /// The user's secrets by the card's credential names.
        public var credentials: [Field]

        /// Describes one server to start.
        public init(
            id: UInt64, user: UInt32, connection: String, card: String, settings: [Setting],
            credentials: [Field]
        ) {
            self.id = id
            self.user = user
            self.connection = connection
            self.card = card
            self.settings = settings
            self.credentials = credentials
        }
    }

    /// A setting's name and its values.
    public struct Setting: Sendable, Equatable {
        /// The card's name for it.
        public var name: String
        /// One value, or the words of a `words` setting.
        public var values: [String]

        /// Pairs a setting with its values.
        public init(name: String, values: [String]) {
            self.name = name
            self.values = values
        }
    }

    /// A name and a value.
    public struct Field: Sendable, Equatable {
        /// The card's name for it.
        public var name: String
        /// The value.
        public var value: String

        /// Pairs a name with a value.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }
}

/// What the supervisor tells the broker. Descriptors travel beside it with SCM_RIGHTS.
public enum Event: Sendable, Equatable {
    /// Answers `hello`.
    case hello(version: UInt32)
    /// A sandbox runs. Descriptors: its stdin (write end), stdout, stderr (read ends), pidfd, and
    /// one for each of its meters.
    case started(id: UInt64, sandbox: UInt64, meters: Meters)
    /// A start, an installation or a question failed; nothing of it is left.
    case refused(id: UInt64, Refusal)
    /// An installation began. Descriptor: its log (read end), end of file when it is over.
    case installing(id: UInt64)
    /// The card's packages are in place; `fresh` is false when they were there already.
    case installed(id: UInt64, fresh: Bool)
    /// A sandbox is gone, and everything in it.
    case exited(sandbox: UInt64, Ending)
    /// Answers `usage`.
    case usage(id: UInt64, Usage)
    /// Answers `posture`.
    case posture(id: UInt64, [PostureRow])
    /// Everything was read anew and holds, or nothing has changed: then `mistakes` says why. Comes
    /// with id 0 when a signal asked for it.
    case reloaded(id: UInt64, mistakes: String)
    /// There is a gateway; events of its predecessor are over. Descriptor: a SOCK_SEQPACKET socket
    /// on which its `EgressEvent`s come.
    case egress
}

/// Why the supervisor did not do what it was asked.
public struct Refusal: Error, Sendable, Equatable {
    /// Kinds of refusal that a caller decides on.
    public enum Code: UInt8, Sendable, Equatable, CaseIterable {
        /// The request names something that no policy or card allows.
        case notAllowed = 1
        /// A setting or a host path is wrong; the user can mend it.
        case badSetting = 2
        /// A launch step failed.
        case launch = 3
        /// An installation step failed; its log says why.
        case install = 4
        /// The host lacks a kernel feature or a limit was reached.
        case host = 5
        /// There is no such sandbox (any more).
        case unknown = 6
    }
    /// The kind.
    public var code: Code
    /// The whole sentence for people: `cannot VERB 'OBJECT': STEP: CAUSE (hint)`.
    public var message: String
    /// The failed launch or installation step, or empty.
    public var step: String
    /// The failed step's errno, or 0.
    public var errno: Int32

    /// Makes a refusal.
    public init(code: Code, message: String, step: String = "", errno: Int32 = 0) {
        self.code = code
        self.message = message
        self.step = step
        self.errno = errno
    }
}

/// How a sandbox ended.
public struct Ending: Sendable, Equatable {
    /// Why the supervisor ended it by itself.
    public enum Cause: UInt8, Sendable, Equatable, CaseIterable {
        /// It did not.
        case none = 0
        /// All its processes together had used up their CPU time.
        case cpuTime = 1
        /// Its life was over.
        case life = 2
    }
    /// The exit status of its first process, or -1 when a signal ended it.
    public var status: Int32
    /// The signal that ended its first process, or 0.
    public var signal: Int32
    /// Whether the supervisor killed it on request.
    public var requested: Bool
    /// Why the supervisor killed it by itself, if it did.
    public var cause: Cause
    /// What it used, and which limits it met.
    public var usage: Usage

    /// Describes an ending.
    public init(
        status: Int32, signal: Int32, requested: Bool, cause: Cause = .none, usage: Usage
    ) {
        self.status = status
        self.signal = signal
        self.requested = requested
        self.cause = cause
        self.usage = usage
    }
}

/// What a sandbox has used so far, read from its cgroup.
public struct Usage: Sendable, Equatable {
    /// CPU time in microseconds.
    public var cpuMicroseconds: UInt64
    /// The most memory it held at once, in bytes.
    public var memoryPeakBytes: UInt64
    /// The memory limit in bytes.
    public var memoryLimitBytes: UInt64
    /// How often the kernel killed for lack of memory.
    public var memoryKills: UInt64
    /// How often a fork was refused.
    public var processRefusals: UInt64
    /// The limit on processes.
    public var processLimit: UInt64

    /// Describes a usage; everything zero by default.
    public init(
        cpuMicroseconds: UInt64 = 0, memoryPeakBytes: UInt64 = 0, memoryLimitBytes: UInt64 = 0,
        memoryKills: UInt64 = 0, processRefusals: UInt64 = 0, processLimit: UInt64 = 0
    ) {
        self.cpuMicroseconds = cpuMicroseconds
        self.memoryPeakBytes = memoryPeakBytes
        self.memoryLimitBytes = memoryLimitBytes
        self.memoryKills = memoryKills
        self.processRefusals = processRefusals
        self.processLimit = processLimit
    }
}

/// What of a sandbox is counted in files that travel with `started`: CPU time first.
public struct Meters: Sendable, Equatable {
    /// Where CPU time is counted.
    public enum Processor: UInt8, Sendable, Equatable, CaseIterable {
        /// Nowhere; no descriptor.
        case none = 0
        /// A number of nanoseconds.
        case nanoseconds = 1
        /// cpu.stat of cgroup version 2.
        case microseconds = 2
    }

    /// Where the memory peak is counted, and what a write to it sets back.
    public enum Peak: UInt8, Sendable, Equatable, CaseIterable {
        /// Nowhere; no descriptor.
        case none = 0
        /// Nothing.
        case fixed = 1
        /// The peak of the group.
        case ofGroup = 2
        /// The peak as this descriptor shows it.
        case ofDescriptor = 3
    }
    /// Where CPU time is counted.
    public var processor: Processor
    /// Where the memory peak is counted.
    public var peak: Peak

    /// How many descriptors carry them.
    public var count: Int { (processor == .none ? 0 : 1) + (peak == .none ? 0 : 1) }

    /// Names both; nothing by default.
    public init(processor: Processor = .none, peak: Peak = .none) {
        self.processor = processor
        self.peak = peak
    }
}

/// One thing that the kernel says of a sandbox, beside what is wanted.
public struct PostureRow: Sendable, Equatable {
    /// What it belongs to: `namespaces`, `capabilities`, `limits`, …
    public var group: String
    /// What it is.
    public var name: String
    /// What the policy wants; empty when it wants nothing.
    public var wanted: String
    /// What the kernel says; text that a tool may have chosen.
    public var found: String
    /// Whether the two agree.
    public var ok: Bool

    /// Describes one comparison.
    public init(group: String, name: String, wanted: String, found: String, ok: Bool) {
        self.group = group
        self.name = name
        self.wanted = wanted
        self.found = found
        self.ok = ok
    }
}

/// Limits of the conversation; a message beyond them is refused whole.
public enum Limit {
    /// The version both halves must speak.
    public static let version: UInt32 = 5
    /// The largest message: a command line of 64 KiB, settings and credentials fit.
    public static let messageBytes = 128 << 10
    /// The longest string in it.
    public static let stringBytes = 64 << 10
    /// The most elements of a list: words of a command, settings, credentials.
    public static let listCount = 512
    /// The most descriptors beside it.
    public static let descriptors = 6
}
