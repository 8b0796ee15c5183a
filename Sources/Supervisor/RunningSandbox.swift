import Glibc
import Kernel
import Sandbox
import SupervisorProtocol

/// One sandbox from its clone to its burial, with everything that must be given back.
final class RunningSandbox {
    /// What it is for, and so who hears of it.
    enum Purpose {
        /// A server; its start was asked for under this number.
        case server(request: UInt64)
        /// A step of an installation, by the prefix's name.
        case installation(prefix: String)
        /// A command of a user's own, by its first word.
        case run(request: UInt64, command: String)
        /// Nothing yet: it waits, confined.
        case spare

        /// The broker's number for what it asked; nil when the sandbox is the supervisor's own.
        var request: UInt64? {
            switch self {
            case .server(let request), .run(let request, _): request
            case .installation, .spare: nil
            }
        }
    }

    let id: UInt64
    private(set) var purpose: Purpose
    /// What people call it: its card.
    let name: String
    let uid: UInt32
    /// For whom it runs; nil for an installation, and while it waits.
    private(set) var user: UInt32?
    let cgroup: Cgroup
    /// What its policy wants of a server; nil for an installation.
    private(set) var walls: Walls?
    /// Namespaces of the host that its plan keeps.
    let keptNamespaces: Set<String>
    let child: Child
    /// What it has of the network.
    private(set) var grant: NetworkGrant
    /// Where the gateway listens in it; nil for one that the gateway does not serve.
    let listeners: SandboxNetwork.Listeners?
    /// Its network namespace, which the next sandbox of its user may have when nothing is in it.
    var network: Descriptor?
    /// Its mount namespace, which ends when there is time.
    var mounts: Descriptor?
    /// The launcher's reports, non-blocking.
    let status: Descriptor
    /// Whether the loop waits for reports; those that come later are read at the end.
    var watchesStatus = true
    /// The version of Landlock's ABI that its pid 1 has told to be in force.
    var landlock: Int32 = 0
    /// Whether the look from outside has found every wall in force while it waited.
    var isVerified = false
    /// What the next start like it is served from; nil for one that is never among those.
    var kind: WarmPool<RunningSandbox>.Kind?
    /// Our ends of a server's pipes, until the broker has them.
    var ends: BrokerEnds?
    /// The pipes of one that waits.
    private var pipes: ServerPipes?
    /// How it is told what to run, while it waits.
    private var waiting: Waiting?
    /// What the broker reads what calls use from, until it has it.
    var meters: CgroupMeters?
    /// What is counted of it.
    let counters: CgroupCounters
    /// When it must have been executed, or have ended, by the monotonic clock in microseconds.
    var deadline: UInt64?
    /// Whether the broker has been told that it runs.
    var announced = false
    /// Whether the supervisor killed it on request.
    var requested = false
    /// Whether the broker that asked for it is gone: its numbers mean nothing to the next one.
    var orphaned = false
    /// Why it never ran, when it did not.
    var failure: SandboxError?
    /// How its tool ended, once its pid 1 has said so.
    var ended: (status: Int32, signal: Int32)?
    /// Tells that its memory is used up, where the kernel does not end the whole of it by itself.
    var memoryAlarm: Descriptor?
    /// Whether that has happened.
    var outOfMemory = false
    /// When it was made, by the monotonic clock in microseconds.
    private(set) var began = System.monotonicMicroseconds
    /// What ends it by time.
    var clock: SandboxClock?
    /// Why it was ended by the supervisor itself, if it was.
    var cause = Ending.Cause.none
    /// Whether its pid 1 has been reaped.
    var reaped = false

    init(
        _ place: Place, _ order: Nursery.Order, keeping keptNamespaces: Set<String>,
        _ birth: consuming Template.Birth, status: consuming Descriptor,
        listeners: SandboxNetwork.Listeners?, deadline: UInt64?
    ) {
        id = place.id
        purpose = order.purpose
        name = order.plan.hostname
        uid = place.uid
        user = order.user
        cgroup = place.cgroup
        memoryAlarm = place.memoryAlarm.take()
        meters = place.meters
        counters = place.counters
        grant = order.network
        self.listeners = listeners
        if birth.waiting == nil { clock = SandboxClock(order, now: began) }
        walls = order.walls
        self.keptNamespaces = keptNamespaces
        waiting = birth.waiting
        if waiting != nil { pipes = place.pipes.take() }
        let (pid, pidfd, network) = birth.release()
        child = Child(pid: pid, pidfd: Descriptor(owning: pidfd))
        self.network = network.map { Descriptor(owning: $0) }
        self.status = status
        self.deadline = deadline
    }
}

extension RunningSandbox {
    /// Whether somebody waits for it to run.
    var isStarting: Bool { purpose.request != nil && !announced }

    /// Whether it waits, confined, for somebody to want it.
    var isSpare: Bool { if case .spare = purpose { true } else { false } }

    /// Ends it, and what of it waits for a disk at once.
    func kill() throws(KernelError) {
        try child.signal(SIGKILL)
        letGoOfDisks()
    }

    /// Lets everything that waits for a disk have what it waits for, since it cannot end before.
    func letGoOfDisks() {
        // A disk that is gone holds nobody up.
        do throws(KernelError) { try cgroup.liftDiskRates() } catch {}
    }

    /// Tells one that waits what to run; what it is confined to stays as it was made.
    func begin(_ order: Nursery.Order) throws(SandboxError) {
        var plan = order.plan
        plan.uid = uid
        precondition(isVerified, "nobody has looked at it")
        guard let waiting, let pipes = pipes.take() else {
            preconditionFailure("a sandbox that does not wait")
        }
        try waiting.run(plan, streams: pipes.theirs)
        self.waiting = nil
        ends = pipes.ours()
        purpose = order.purpose
        user = order.user
        walls = order.walls
        grant = order.network
        began = System.monotonicMicroseconds
        clock = SandboxClock(order, now: began)
        deadline = began + UInt64(order.patience) * 1000
    }
}

/// The three descriptors that the broker gets.
struct BrokerEnds: ~Copyable {
    /// What the tool reads; written by the broker.
    let input: Descriptor
    /// What it writes.
    let output: Descriptor
    /// What it complains on.
    let errors: Descriptor
}

extension Usage {
    /// What a cgroup has counted, beside its limits.
    init(_ counters: CgroupCounters, of cgroup: Cgroup) throws(KernelError) {
        let counted = try counters.usage()
        self.init(
            cpuMicroseconds: counted.cpuMicroseconds, memoryPeakBytes: counted.memoryPeakBytes,
            memoryLimitBytes: UInt64(cgroup.limits.memoryBytes),
            memoryKills: counted.memoryKills, processRefusals: counted.processRefusals,
            processLimit: UInt64(cgroup.limits.processes))
    }
}

extension Refusal {
    /// A launch step that failed: `cannot start 'CARD': STEP: CAUSE (HINT)`.
    init(starting card: String, _ error: SandboxError) {
        self.init(
            code: .launch, message: "cannot start '\(card)': \(error)", step: error.step,
            errno: error.errno)
    }

    /// The same, worded by what the sandbox is for.
    init(_ purpose: RunningSandbox.Purpose, name: String, _ error: SandboxError) {
        switch purpose {
        case .server, .spare: self.init(starting: name, error)
        case .run(_, let command):
            self.init(
                code: .launch, message: "cannot run '\(command)': \(error)", step: error.step,
                errno: error.errno)
        case .installation:
            // The installation words it: it knows which card and which of its steps.
            self.init(
                code: .install, message: error.description, step: error.step, errno: error.errno)
        }
    }
}
