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
    let cgroups: CgroupTree
    private var next: UInt64 = 1
    /// A place made while nobody waited, for a start with the same limits as the last one.
    private var spare: Place?
    private var lastLimits: Cgroup.Limits?

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
        /// The plan; its uid is filled in here.
        var plan: LaunchPlan
        /// What a look at the running server is compared with; nil for an installation.
        var walls: Walls?
        var milliseconds: Int?
    }

    /// What a sandbox needs before it is born: a number, a user and a limited cgroup.
    private struct Place {
        let id: UInt64
        let uid: UInt32
        let cgroup: Cgroup
        let meters: CgroupMeters
    }

    /// Clones a sandbox; `mount` makes the trees of the plan for the uid that it gets.
    mutating func start(
        _ order: Order, streams: borrowing Streams,
        mount: (UInt32) throws(Refusal) -> Trees
    ) throws(Refusal) -> RunningSandbox {
        let place = try take(order.limits)
        do throws(Refusal) {
            let trees = try mount(place.uid)
            return try start(order, in: place, streams: streams, trees: trees)
        } catch {
            giveBack(place)
            throw error
        }
    }

    /// Makes the next place; to be called when nothing else is to be done. A failure is told by
    /// the start that then needs one.
    mutating func prepare() {
        guard spare == nil, let lastLimits else { return }
        do throws(Refusal) { spare = try make(lastLimits) } catch { self.lastLimits = nil }
    }

    /// Removes what was prepared and not used.
    mutating func clear() {
        if let unused = spare { giveBack(unused) }
        spare = nil
        lastLimits = nil
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
        do throws(CgroupError) {
            let (cgroup, meters) = try cgroups.makeMeteredGroup("sandbox-\(next)", limits)
            defer { next += 1 }
            return Place(id: next, uid: uid, cgroup: cgroup, meters: meters)
        } catch {
            uids.give(back: uid)
            throw Refusal(
                code: .host, message: "cannot limit a sandbox: \(error)", step: error.step)
        }
    }

    private mutating func giveBack(_ place: Place) {
        do throws(KernelError) {
            try place.cgroup.remove()
            uids.give(back: place.uid)
        } catch {
            // Something may still live there: its uid is not used again before the next start,
            // and the sweep at the end takes the rest.
        }
    }

    private mutating func start(
        _ order: Order, in place: Place, streams: borrowing Streams, trees: borrowing Trees
    ) throws(Refusal) -> RunningSandbox {
        do throws(SandboxError) {
            return try launch(order, in: place, streams: streams, trees: trees)
        } catch {
            throw Refusal(order.purpose, name: order.plan.hostname, error)
        }
    }

    private mutating func launch(
        _ order: Order, in place: Place, streams: borrowing Streams, trees: borrowing Trees
    ) throws(SandboxError) -> RunningSandbox {
        let template = try templates.template(order.tree, profile: order.profile)
        var plan = order.plan
        plan.uid = place.uid
        let groups = try Self.membership(of: place.cgroup)
        let patience = UInt64(order.milliseconds ?? Limit.launchMilliseconds)
        do throws(SandboxError) {
            return try Self.statusPipe().split { status, report throws(SandboxError) in
                let child = try template.launch(
                    plan, groups: groups, trees: trees, streams: streams, status: report)
                let sandbox = RunningSandbox(
                    id: place.id, purpose: order.purpose, name: order.plan.hostname, uid: place.uid,
                    cgroup: place.cgroup,
                    walls: order.walls, keptNamespaces: plan.keptNamespaces, child: child,
                    status: status,
                    deadline: System.monotonicMicroseconds + patience * 1000)
                sandbox.meters = place.meters
                return sandbox
            }
        } catch {
            // A zygote that is gone or out of step is of no use to the next start either.
            if ["send-plan", "read-report"].contains(error.step) { templates.discard(template) }
            throw error
        }
    }

    private static func membership(of group: Cgroup) throws(SandboxError) -> [Int32] {
        do throws(CgroupError) {
            return try group.membershipDescriptors()
        } catch {
            throw SandboxError(step: error.step, cause: error.cause, hint: error.hint)
        }
    }

    private static func statusPipe() throws(SandboxError) -> Pipe {
        do throws(KernelError) {
            let pipe = try Pipe()
            try pipe.read.setNonblocking(true)
            return pipe
        } catch {
            throw SandboxError(step: "make-pipes", error)
        }
    }
}
