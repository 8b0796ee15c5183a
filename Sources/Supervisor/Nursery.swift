import Configuration
import Glibc
import Kernel
import Policy
import RunCards
import Sandbox
import SupervisorProtocol

/// Makes sandboxes: uid, cgroup, pipes, clone. What a failed start took is given back here.
struct Nursery {
    var uids: UIDPool
    var templates: Templates
    var networks = NetworkPool()
    let lingering = Lingering()
    let cgroups: CgroupTree
    private var next: UInt64 = 1
    /// Places made while nobody waited, each for the next start of one zygote.
    private var ready: [(template: Template, place: Place)] = []
    /// Zygotes that have given away what was made ahead, and the limits of the place that was.
    private var pending: [(template: Template, limits: Cgroup.Limits)] = []
    var warm = WarmPool<RunningSandbox>()
    /// When the last start was, by the monotonic clock in microseconds.
    private var lastStart: UInt64 = 0
    /// Whether starts come so fast that there is no quiet between them: then every moment in which
    /// nothing else is to be done is one to make the next one's things in.
    private(set) var isPressed = false

    /// How long nothing must happen until something is made ahead.
    var quietMilliseconds: Int { isPressed ? 0 : Limit.quietMilliseconds }

    init(uids: UIDPool, templates: Templates, cgroups: CgroupTree) {
        self.uids = uids
        self.templates = templates
        self.cgroups = cgroups
    }

    /// What to start, once everything about it has been decided.
    struct Order {
        var purpose: RunningSandbox.Purpose
        var tree: TreeSource
        var profile: String
        var limits: Cgroup.Limits
        /// For whom it runs; nil for an installation.
        var user: UInt32?
        /// What it has of the network.
        var network: NetworkGrant
        /// The plan; its uid is filled in here.
        var plan: LaunchPlan
        /// What a look at the running server is compared with; nil for an installation.
        var walls: Walls?
        /// How many like it are to wait, confined, for the next starts.
        var warm = 0
        /// How long these wait for a start, in microseconds.
        var idleMicroseconds: UInt64 = 0
        var milliseconds: Int?
        /// How long it may live; nil for as long as it is used.
        var life: Duration?

        /// How long it may take to start, or to run when it is an installation.
        var patience: Int { milliseconds ?? Limit.launchMilliseconds }
    }

    /// Clones a sandbox; `mount` makes the trees of the plan for the uid that it gets. Without
    /// `streams` it has its place's pipes, whose other ends are then the sandbox's `ends`.
    mutating func start(
        _ order: Order, streams: consuming Streams? = nil,
        mount: (UInt32) throws(Refusal) -> Trees
    ) throws(Refusal) -> RunningSandbox {
        let now = System.monotonicMicroseconds
        isPressed = now - lastStart < Limit.pressedMicroseconds
        lastStart = now
        let kind = warm.want(order, now: now)
        guard let sandbox = begin(order) else {
            let made = try make(order, streams: streams, mount: mount)
            made.kind = kind
            return made
        }
        sandbox.kind = kind
        return sandbox
    }

    private mutating func make(
        _ order: Order, streams: consuming Streams?, mount: (UInt32) throws(Refusal) -> Trees
    ) throws(Refusal) -> RunningSandbox {
        let seat = try seat(for: order)
        do throws(Refusal) {
            let trees = try mount(seat.place.uid)
            guard let streams = streams.take() else {
                guard let pipes = seat.place.pipes.take() else {
                    preconditionFailure("a used place")
                }
                let sandbox = try start(order, seat, streams: pipes.theirs, trees: trees)
                sandbox.ends = pipes.ours()
                return sandbox
            }
            return try start(order, seat, streams: streams, trees: trees)
        } catch {
            giveBack(seat)
            throw error
        }
    }

    /// One that waited for such an order, and now runs it.
    private mutating func begin(_ order: Order) -> RunningSandbox? {
        guard order.plan.trees.isEmpty, order.user != nil, let ready = warm.take(for: order) else {
            return nil
        }
        do throws(SandboxError) {
            try ready.begin(order)
            return ready
        } catch {
            // It has ended, or ends now, as its socket closes; the start makes another.
            return nil
        }
    }

    /// Whether `prepare` has something to do.
    var canPrepare: Bool {
        !pending.isEmpty || warm.missing != nil || !lingering.isEmpty || networks.missing != nil
    }

    /// Makes ahead what the next start needs, one thing at a time; to be called when nothing else
    /// is to be done. A failure is told by the start that then needs it. Returns a sandbox that
    /// waits, to be watched.
    mutating func prepare() -> RunningSandbox? {
        if !lingering.isEmpty {
            lingering.letGo(through: ready.last?.template)
        } else if let next = pending.popLast() {
            prepare(next.template, next.limits)
        } else if let kind = networks.missing {
            networks.prepare(kind)
        } else if let kind = warm.missing {
            return makeWaiting(kind)
        }
        return nil
    }

    private mutating func want(_ template: Template, _ limits: Cgroup.Limits) {
        guard !pending.contains(where: { $0.template === template }) else { return }
        pending.append((template, limits))
    }

    private mutating func prepare(_ template: Template, _ limits: Cgroup.Limits) {
        guard templates.contains(template), !ready.contains(where: { $0.template === template })
        else { return }
        do throws(Refusal) {
            let place = try make(limits)
            template.prepare(
                joining: place.cgroup.canBearProcesses ? [] : place.entrances, for: place.uid)
            ready.append((template, place))
        } catch {
            // It may be in the cgroup of a sandbox that runs, and has nowhere else to go.
            templates.discard(template)
        }
    }

    private mutating func makeWaiting(_ kind: WarmPool<RunningSandbox>.Kind) -> RunningSandbox? {
        // The last user is for a start.
        guard !uids.isEmpty else {
            warm.rest(kind)
            return nil
        }
        do throws(Refusal) {
            let sandbox = try makeWaiting(kind.order)
            warm.keep(sandbox, as: kind)
            return sandbox
        } catch {
            warm.rest(kind)
            return nil
        }
    }

    private mutating func makeWaiting(_ order: Order) throws(Refusal) -> RunningSandbox {
        let seat = try seat(for: order)
        do throws(SandboxError) {
            let network = try networks.lend(order.network.kind, to: nil)
            return try launch(order, seat, network.listeners, deadline: nil) {
                plan, groups, report throws(SandboxError) in
                try seat.template.launchWaiting(
                    plan, groups: groups, status: report, network: network.take())
            }
        } catch {
            giveBack(seat)
            throw Refusal(order.purpose, name: order.plan.hostname, error)
        }
    }

    /// Holds the mount namespace of a sandbox that has ended until there is time to end it too.
    func hold(_ mounts: consuming Descriptor) {
        lingering.hold(mounts)
        if lingering.isFull { lingering.letGo(through: ready.last?.template) }
    }

    /// Ends every zygote, so that none stays in the cgroup of a sandbox; a start makes new ones.
    mutating func endZygotes() {
        pending = []
        templates.empty()
        dropUnused()
    }

    /// Removes what was prepared and not used.
    mutating func clear() {
        endZygotes()
        lingering.letGo(through: nil)
        networks.empty()
    }

    /// Gives back the places of zygotes that are gone.
    private mutating func dropUnused() {
        for unused in ready where !templates.contains(unused.template) {
            unused.template.end()
            giveBack(unused.place)
        }
        ready.removeAll { !templates.contains($0.template) }
    }

    /// A zygote and a place for one start.
    private struct Seat {
        let template: Template
        let place: Place
        /// Whether the place was made ahead, and the zygote has gone there.
        let isReady: Bool
    }

    private mutating func seat(for order: Order) throws(Refusal) -> Seat {
        let template: Template
        do throws(SandboxError) {
            template = try templates.template(order.tree, profile: order.profile)
        } catch {
            throw Refusal(order.purpose, name: order.plan.hostname, error)
        }
        dropUnused()
        // Places that only wait give their uids up before a start goes without one.
        if uids.isEmpty, !ready.contains(where: { $0.template === template }), !ready.isEmpty {
            endZygotes()
            return try seat(for: order)
        }
        if let index = ready.firstIndex(where: { $0.template === template }) {
            let place = ready.remove(at: index).place
            if place.cgroup.limits == order.limits {
                return Seat(template: template, place: place, isReady: true)
            }
            // It waits where nobody will be: another one, with another place.
            templates.discard(template)
            giveBack(place)
            return try seat(for: order)
        }
        return Seat(template: template, place: try make(order.limits), isReady: false)
    }

    private mutating func giveBack(_ seat: Seat) {
        guard seat.isReady else { return giveBack(seat.place) }
        if seat.place.isUntouched { return ready.append((seat.template, seat.place)) }
        // A zygote in a cgroup keeps it from being removed, and its child may not have come to be.
        templates.discard(seat.template)
        giveBack(seat.place)
    }

    private mutating func make(_ limits: Cgroup.Limits) throws(Refusal) -> Place {
        guard let uid = uids.take() else {
            throw Refusal(
                code: .host,
                message: "cannot start a sandbox: all uids of the range are in use "
                    + "(raise sandbox_uids.count in corrald.yaml)", errno: EUSERS)
        }
        let cgroup: Cgroup
        do throws(CgroupError) {
            cgroup = try cgroups.makeGroup("sandbox-\(next)", limits)
        } catch {
            uids.give(back: uid)
            throw Refusal(
                code: .host, message: "cannot limit a sandbox: \(error)", step: error.step)
        }
        defer { next += 1 }
        do throws(Refusal) {
            return try Place(id: next, uid: uid, cgroup: cgroup)
        } catch {
            remove(cgroup, of: uid)
            throw error
        }
    }

    private mutating func giveBack(_ place: Place) { remove(place.cgroup, of: place.uid) }

    private mutating func remove(_ cgroup: Cgroup, of uid: UInt32) {
        do throws(KernelError) {
            try cgroup.remove()
            uids.give(back: uid)
        } catch {
            // Something may still live there: its uid is not used again before the next start,
            // and the sweep at the end takes the rest.
        }
    }

    private mutating func start(
        _ order: Order, _ seat: Seat, streams: borrowing Streams, trees: borrowing Trees
    ) throws(Refusal) -> RunningSandbox {
        do throws(SandboxError) {
            let network = try networks.lend(order.network.kind, to: order.user)
            let deadline = System.monotonicMicroseconds + UInt64(order.patience) * 1000
            return try launch(order, seat, network.listeners, deadline: deadline) {
                plan, groups, report throws(SandboxError) in
                try seat.template.launch(
                    plan, groups: groups, trees: trees, streams: streams, status: report,
                    network: network.take())
            }
        } catch {
            throw Refusal(order.purpose, name: order.plan.hostname, error)
        }
    }

    private mutating func launch(
        _ order: Order, _ seat: Seat, _ listeners: SandboxNetwork.Listeners?, deadline: UInt64?,
        clone: (LaunchPlan, Groups, borrowing Descriptor) throws(SandboxError) -> Template.Birth
    ) throws(SandboxError) -> RunningSandbox {
        var plan = order.plan
        plan.uid = seat.place.uid
        do throws(SandboxError) {
            guard let reports = seat.place.status.take() else {
                preconditionFailure("a used place")
            }
            let groups = seat.place.takeGroups(joined: seat.isReady)
            return try reports.split { status, report throws(SandboxError) in
                let birth = try clone(plan, groups, report)
                // An installation is the only one of its kind.
                if order.walls != nil { want(seat.template, order.limits) }
                return RunningSandbox(
                    seat.place, order, keeping: plan.keptNamespaces, birth, status: status,
                    listeners: listeners, deadline: deadline)
            }
        } catch {
            // A zygote that is gone or out of step is of no use to the next start either.
            if ["send-plan", "read-report"].contains(error.step) {
                templates.discard(seat.template)
            }
            throw error
        }
    }
}
