/// Bounds of the supervisor, each with its reason.
enum Limit {
    /// Sandboxes at once: a uid, a cgroup and three pipes each; 500 is the design's figure.
    static let sandboxes = 1024
    /// Trees kept ready: about 200 KiB each.
    static let templates = 64
    /// How long nothing must happen until the next start is prepared: what was just started may be
    /// over as fast, and should not wait for that.
    static let quietMilliseconds = 3
    /// Starts that follow each other in less than this, in microseconds, leave no such quiet.
    static let pressedMicroseconds: UInt64 = 5_000
    /// Mount namespaces of the dead that are held until there is time: what one message takes.
    static let lingering = 32
    /// Kinds of sandboxes of which some wait; a kind is a card, or a policy that commands run with.
    static let warmKinds = 16
    /// Sandboxes of all kinds together that wait: about 0.5 MiB each.
    static let warmSandboxes = 32
    /// How long a start that lacks a user waits for one that waited to be gone, in milliseconds.
    static let spareMilliseconds = 500
    /// Requests whose outcome is remembered: one for each user and card that start again and again.
    static let resolutions = 64
    /// Network namespaces kept for the next sandboxes of their users: about 90 KiB each.
    static let networks = 16
    /// Network namespaces of each kind made ahead: about 90 KiB each.
    static let networksAhead = 4
    /// Messages that wait for the gateway to read: at a restart one for each sandbox.
    static let letters = 4 * sandboxes
    /// Until they are offered again, in milliseconds.
    static let letterMilliseconds = 5
    /// From a clone to its exec, in milliseconds; it takes about two.
    static let launchMilliseconds = 10_000
    /// How long the broker may take to finish what is under way at a stop, in milliseconds.
    static let drainMilliseconds = 5_000
    /// Open descriptors that this process and its children want: a dozen for each sandbox here, and
    /// more for clients in the broker, which inherits the limit.
    static let descriptors: UInt64 = 16_384
    /// Requests answered before the loop looks at signals, deadlines and the dead again: a broker
    /// that never stops asking must not keep them waiting.
    static let requestsPerTurn = 64
    /// The pause before a broker that died is started again, in milliseconds: first and longest.
    static let restartMilliseconds = 100...5_000
    /// A broker that ran this long, in milliseconds, begins again at the short pause.
    static let steadyMilliseconds = 60_000
    /// Between two starts of the sweeper, in microseconds: while there is none, a crash would leave
    /// cgroups until the next start, so it is short.
    static let sweeperPauseMicroseconds: UInt64 = 50_000
    /// Between two attempts to remove a cgroup whose last process is on its way out.
    static let burialMilliseconds = 5
    /// Attempts after which zygotes are ended that may be in it: half a second.
    static let zygoteAttempts = 100
    /// Attempts before a cgroup is left to the sweep at the next start: ten seconds.
    static let burialAttempts = 2_000
    /// Attempts to lock the state directory, and the pause between two in milliseconds: a little
    /// longer than the sweeper of a killed predecessor may take.
    static let lockAttempts = 60
    static let lockMilliseconds = 100
    /// Pending connections of the control socket: clients that come while the broker restarts.
    static let backlog: Int32 = 1_024
    /// The longest value of a credential in bytes.
    static let credentialBytes = 32 << 10
    /// Host directories of one command: what one launch plan takes.
    static let mounts = 16
    /// Installations under way at once; each may use a whole core.
    static let installations = 4
    /// The largest file an installation may write, in bytes: some wheels carry a whole server.
    static let installFileBytes = 1 << 30
    /// The longest text in a row of a posture, in bytes: a tool can choose what it opens, and all
    /// rows must fit one message.
    static let postureBytes = 200
    /// Descriptors of a tool that a posture tells.
    static let postureDescriptors = 32
    /// Processes of a sandbox beside pid 1 and the tool that a posture looks at: each costs about
    /// a tenth of a millisecond, in which corrald does nothing else.
    static let postureProcesses = 512
    /// Of those, how many that differ are told.
    static let postureStrangers = 16
    /// Mounts that belong to nothing and that a posture tells.
    static let postureMounts = 16
}
