import Configuration
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
    let cgroups: CgroupTree
    private var next: UInt64 = 1
    /// A place made while nobody waited, for a start with the same limits as the last one.
    private var spare: Place?
    private var lastLimits: Cgroup.Limits?
    /// Whose zygote has given away what it had made ahead.
    private var lastTemplate: Template?
    var warm = WarmPool()

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
        /// For whom it runs; nil when it has the host's network.
        var user: UInt32?
        /// The plan; its uid is filled in here.
        var plan: LaunchPlan
        /// What a look at the running server is compared with; nil for an installation.
        var walls: Walls?
        /// How many like it are to wait, confined, for the next starts.
        var warm = 0
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
        warm.want(order)
        if let ready = begin(order) { return ready }
        let place = try take(order.limits)
        do throws(Refusal) {
            let trees = try mount(place.uid)
            guard let streams = streams.take() else {
                guard let pipes = place.pipes.take() else { preconditionFailure("a used place") }
                let sandbox = try start(order, in: place, streams: pipes.theirs, trees: trees)
                sandbox.ends = pipes.ours()
                return sandbox
            }
            return try start(order, in: place, streams: streams, trees: trees)
        } catch {
            giveBack(place)
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
        lastTemplate != nil || spare == nil && lastLimits != nil || warm.missing != nil
    }

    /// Makes ahead what the next start needs, one thing at a time; to be called when nothing else
    /// is to be done. A failure is told by the start that then needs it. Returns a sandbox that
    /// waits, to be watched.
    mutating func prepare() -> RunningSandbox? {
        if let template = lastTemplate.take() {
            template.prepare()
        } else if spare == nil, let limits = lastLimits {
            do throws(Refusal) { spare = try make(limits) } catch { lastLimits = nil }
        } else if let order = warm.missing {
            do throws(Refusal) {
                let sandbox = try makeWaiting(order)
                warm.keep(sandbox, as: order)
                return sandbox
            } catch {
                warm.giveUp(order)
            }
        }
        return nil
    }

    private mutating func makeWaiting(_ order: Order) throws(Refusal) -> RunningSandbox {
        let place = try take(order.limits)
        do throws(SandboxError) {
            return try launch(order, in: place, deadline: nil) {
                template, plan, memberships, report throws(SandboxError) in
                try template.launchWaiting(plan, groups: memberships, status: report)
            }
        } catch {
            giveBack(place)
            throw Refusal(order.purpose, name: order.plan.hostname, error)
        }
    }

    /// Removes what was prepared and not used.
    mutating func clear() {
        if let unused = spare { giveBack(unused) }
        spare = nil
        lastLimits = nil
        lastTemplate = nil
    }

    private mutating func take(_ limits: Cgroup.Limits) throws(Refusal) -> Place {
        lastLimits = limits
        if let ready = spare {
            spare = nil
            if ready.cgroup.limits == limits { return ready }
            giveBack(ready)
        }
        return try make(limits)
    }

    private mutating func make(_ limits: Cgroup.Limits) throws(Refusal) -> Place {
        guard let uid = uids.take() else {
            throw Refusal(
                code: .host,
                message: "cannot start a sandbox: all uids of the range are in use "
                    + "(raise sandbox_uids.count in corrald.yaml)")
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
        _ order: Order, in place: Place, streams: borrowing Streams, trees: borrowing Trees
    ) throws(Refusal) -> RunningSandbox {
        let network = NetworkPool.Loan(networks.take(of: order.user))
        do throws(SandboxError) {
            let deadline = System.monotonicMicroseconds + UInt64(order.patience) * 1000
            return try launch(order, in: place, deadline: deadline) {
                template, plan, memberships, report throws(SandboxError) in
                try template.launch(
                    plan, groups: memberships, trees: trees, streams: streams, status: report,
                    network: network.take())
            }
        } catch {
            throw Refusal(order.purpose, name: order.plan.hostname, error)
        }
    }

    private mutating func launch(
        _ order: Order, in place: Place, deadline: UInt64?,
        clone: (Template, LaunchPlan, [CInt], borrowing Descriptor) throws(SandboxError)
            -> Template.Birth
    ) throws(SandboxError) -> RunningSandbox {
        let template = try templates.template(order.tree, profile: order.profile)
        var plan = order.plan
        plan.uid = place.uid
        do throws(SandboxError) {
            guard let reports = place.status.take() else { preconditionFailure("a used place") }
            let memberships = place.takeMemberships()
            return try reports.split { status, report throws(SandboxError) in
                let birth = try clone(template, plan, memberships, report)
                lastTemplate = template
                return RunningSandbox(
                    place, order, keeping: plan.keptNamespaces, birth, status: status,
                    deadline: deadline)
            }
        } catch {
            // A zygote that is gone or out of step is of no use to the next start either.
            if ["send-plan", "read-report"].contains(error.step) { templates.discard(template) }
            throw error
        }
    }
}
