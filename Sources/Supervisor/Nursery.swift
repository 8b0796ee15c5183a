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

    init(uids: UIDPool, templates: Templates, cgroups: CgroupTree) {
        self.uids = uids
        self.templates = templates
        self.cgroups = cgroups
    }

    /// What to start, once everything about it has been decided.
    struct Order {
        var purpose: RunningSandbox.Purpose
        var tree: TreePlan
        var profile: String
        var limits: Cgroup.Limits
        /// The plan; its uid is filled in here.
        var plan: LaunchPlan
        var milliseconds: Int?
    }

    /// Clones a sandbox; `mount` makes the trees of the plan for the uid that it gets.
    mutating func start(
        _ order: Order, streams: borrowing Streams,
        mount: (UInt32) throws(Refusal) -> Trees
    ) throws(Refusal) -> RunningSandbox {
        guard let uid = uids.take() else {
            throw Refusal(
                code: .host,
                message: "cannot start a sandbox: all uids of the range are in use "
                    + "(raise sandbox_uids.count in corrald.yaml)")
        }
        do throws(Refusal) {
            let trees = try mount(uid)
            return try start(order, uid: uid, streams: streams, trees: trees)
        } catch {
            uids.give(back: uid)
            throw error
        }
    }

    private mutating func start(
        _ order: Order, uid: UInt32, streams: borrowing Streams, trees: borrowing Trees
    ) throws(Refusal) -> RunningSandbox {
        let id = next
        next += 1
        let group: Cgroup
        do throws(CgroupError) {
            group = try cgroups.makeGroup("sandbox-\(id)", order.limits)
        } catch {
            throw Refusal(
                code: .host, message: "cannot limit a sandbox: \(error)", step: error.step)
        }
        do throws(SandboxError) {
            return try launch(
                order, id: id, uid: uid, group: group, streams: streams, trees: trees)
        } catch {
            // What cannot be removed at once has no process in it; the sweep takes it.
            do throws(KernelError) { try group.remove() } catch {}
            throw Refusal(
                code: .launch, message: error.description, step: error.step, errno: error.errno)
        }
    }

    private mutating func launch(
        _ order: Order, id: UInt64, uid: UInt32, group: Cgroup, streams: borrowing Streams,
        trees: borrowing Trees
    ) throws(SandboxError) -> RunningSandbox {
        let template = try templates.template(order.tree, profile: order.profile)
        var plan = order.plan
        plan.uid = uid
        let groups = try Self.membership(of: group)
        let patience = UInt64(order.milliseconds ?? Limit.launchMilliseconds)
        do throws(SandboxError) {
            return try Self.statusPipe().split { status, report throws(SandboxError) in
                let child = try template.launch(
                    plan, groups: groups, trees: trees, streams: streams, status: report)
                return RunningSandbox(
                    id: id, purpose: order.purpose, uid: uid, cgroup: group, child: child,
                    status: status,
                    deadline: System.monotonicMicroseconds + patience * 1000)
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
