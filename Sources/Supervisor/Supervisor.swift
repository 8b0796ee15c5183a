public import Configuration
import Glibc
import Kernel
import Sandbox
import SupervisorProtocol

/// The root half: one thread, one loop. It owns the privilege to make sandboxes and uses it only
/// for what its own policies allow.
public final class Supervisor {
    /// What the loop waits for.
    enum Source {
        case signals
        case link
        case broker
        case sweeper
        case gateway
        case gatewayLink
        case status(UInt64)
        case process(UInt64)
        case memory(UInt64)

        /// The top bit tells sandboxes from the rest, the two lowest which of their descriptors.
        var token: UInt64 {
            switch self {
            case .signals: 1
            case .link: 2
            case .broker: 3
            case .sweeper: 4
            case .gateway: 5
            case .gatewayLink: 6
            case .status(let id): 1 << 63 | id << 2
            case .process(let id): 1 << 63 | id << 2 | 1
            case .memory(let id): 1 << 63 | id << 2 | 2
            }
        }

        init?(token: UInt64) {
            switch token {
            case 1: self = .signals
            case 2: self = .link
            case 3: self = .broker
            case 4: self = .sweeper
            case 5: self = .gateway
            case 6: self = .gatewayLink
            case (1 << 63)...:
                let id = (token & ~(1 << 63)) >> 2
                switch token & 3 {
                case 0: self = .status(id)
                case 1: self = .process(id)
                case 2: self = .memory(id)
                default: return nil
                }
            default: return nil
            }
        }
    }

    let settings: Settings
    /// The policies in force; a reload replaces them whole.
    var set: PolicySet
    let journal: Journal
    let instance: Instance
    let programs: Programs
    let poller: Poller
    let signals: Signals
    /// Nil when there is no broker: one process of root's asks instead.
    let door: BrokerDoor?
    /// Where this process itself is: what no sandbox may share.
    let own: Posture.Own
    var accounts = AccountsCache()
    var resolutions = ResolutionCache()
    var nursery: Nursery
    var sandboxes: [UInt64: RunningSandbox] = [:]
    var installations: [String: Installation] = [:]
    /// Ended sandboxes whose cgroup is still to be removed, and how often that was tried.
    var graves: [(sandbox: RunningSandbox, attempts: Int)] = []
    var broker: UnprivilegedProcess?
    /// Whether the link to the broker is watched.
    var linked = false
    /// Whether the broker has said hello.
    var isGreeted = false
    var brokerRestarts = Restarts()
    let gateway: Gateway
    /// Reloads that are done when the gateway goes by the new rules: numbers of the broker's.
    var reloads: [UInt64] = []
    var sweeper: Sweeper?
    /// When a sweeper that does not run is started, by the monotonic clock in microseconds.
    var sweeperDue: UInt64 = 0
    /// Set once: when to stop waiting for the broker's drain.
    var stopping: UInt64?
    var readyTold = false

    /// Prepares everything: directories, cgroups, filters, the control socket. Nothing runs yet.
    public convenience init(_ settings: Settings, set: PolicySet) throws(SupervisorError) {
        try self.init(settings, set: set, try Startup(settings, set: set))
    }

    init(
        _ settings: Settings, set: PolicySet, _ startup: consuming Startup
    ) throws(SupervisorError) {
        self.settings = settings
        self.set = set
        programs = startup.programs
        door = startup.door
        own = startup.own
        gateway = startup.gateway
        nursery = startup.nursery
        instance = startup.instance
        poller = startup.poller
        signals = startup.signals
        journal = startup.journal
    }

    /// Runs until SIGTERM or SIGINT; then lets the broker finish, ends every sandbox, and leaves
    /// nothing behind.
    public func run() throws(SupervisorError) {
        do throws(KernelError) {
            try poller.add(signals.raw, token: Source.signals.token)
            if door == nil, let raw = broker?.link.raw {
                try poller.add(raw, token: Source.link.token)
                linked = true
            }
            while !isOver {
                startSweeperIfDue()
                try startBrokerIfDue()
                try startGatewayIfDue()
                if gateway.isBehind { try talk { () throws(KernelError) in try gateway.deliver() } }
                let prepares = mayPrepare
                let wake = nextWake()
                let ready = try poller.wait(
                    milliseconds: prepares ? min(wake ?? .max, nursery.quietMilliseconds) : wake)
                if prepares && ready.isEmpty, let waiting = nursery.prepare() {
                    try watch(waiting)
                }
                for one in ready {
                    guard let source = Source(token: one.token) else { continue }
                    try handle(source)
                }
                try endWhatIsLate()
                try endUnwanted()
                try bury()
            }
            try leave()
        } catch {
            throw SupervisorError(
                "go on as", "corrald", "event-loop", error,
                hint: "this is a defect: please report it")
        }
    }

    private func handle(_ source: Source) throws(KernelError) {
        switch source {
        case .signals: while let signal = try signals.next() { try received(signal) }
        case .link: try readRequests()
        case .broker: try brokerEnded()
        case .sweeper: try sweeperEnded()
        case .gateway: try gatewayEnded()
        case .gatewayLink: try readReplies()
        case .status(let id): try readReports(of: id)
        case .process(let id): try processEnded(id)
        case .memory(let id): try memoryExceeded(id)
        }
    }

    private func received(_ signal: CInt) throws(KernelError) {
        switch signal {
        case SIGTERM, SIGINT: try beginStop()
        case SIGHUP: try reload(0)
        default: journal.event("signal-ignored", [("signal", String(signal))])
        }
    }

    private var isOver: Bool {
        guard let stopping else { return false }
        let drained = broker?.isOurs != true || System.monotonicMicroseconds >= stopping
        return drained && sandboxes.isEmpty && graves.isEmpty
    }

    /// Whether the next start can be prepared without another one waiting for it; without a broker
    /// there is no next one.
    private var mayPrepare: Bool {
        door != nil && stopping == nil && nursery.canPrepare
            && (nursery.isPressed || !sandboxes.values.contains(where: \.isStarting))
    }

    /// Milliseconds until something is due; nil when nothing is.
    private func nextWake() -> Int? {
        if !graves.isEmpty { return Limit.burialMilliseconds }
        var due = sandboxes.values.flatMap { [$0.deadline, $0.clock?.due].compactMap { $0 } }
        if broker == nil && stopping == nil { due.append(brokerRestarts.due) }
        if gatewayIsWanted { due.append(gateway.restarts.due) }
        if gateway.isBehind { return Limit.letterMilliseconds }
        if let unused = nursery.warm.due { due.append(unused) }
        if sweeper == nil { due.append(sweeperDue) }
        if let stopping { due.append(stopping) }
        guard let first = due.min() else { return nil }
        let now = System.monotonicMicroseconds
        return first <= now ? 0 : Int((first - now) / 1000) + 1
    }

    func beginStop() throws(KernelError) {
        guard stopping == nil else { return }
        journal.event("stopping")
        notify("STOPPING=1")
        stopping = System.monotonicMicroseconds + UInt64(Limit.drainMilliseconds) * 1000
        // One that waits in the cgroup of a sandbox would keep it from being removed.
        nursery.endZygotes()
        try broker?.signal(SIGTERM)
        if broker?.isOurs != true { try killAll() }
    }

    /// What must not stay: the socket, the cgroups, the sweeper's reason to exist.
    private func leave() throws(KernelError) {
        try broker?.child?.end()
        try gateway.process?.child?.end()
        nursery.clear()
        do throws(KernelError) {
            try Files.remove(settings.controlSocket)
            for root in nursery.cgroups.roots { try Files.removeDirectory(root) }
            try Files.removeDirectory(instance.treeRoot)
            if door == nil { try Files.removeTree(settings.state) }
        } catch {
            // The sweeper stays and removes what is left as soon as this process is gone.
            return journal.event("stopped", [("left_to_sweeper", error.description)])
        }
        try stopSweeper()
        journal.event("stopped")
    }

    /// Tells systemd, when it listens (sd_notify(3)).
    func notify(_ message: String) {
        guard let address = System.environment("NOTIFY_SOCKET") else { return }
        do throws(KernelError) {
            try Socket.notify(message, to: address)
        } catch {
            journal.event("notify-failed", [("cause", error.description)])
        }
    }
}
