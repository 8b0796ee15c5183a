import Sandbox

/// Sandboxes made before anybody asks, for policies that have `warm`: fully confined, each waits to
/// be told what to run. One serves one start, of any user: nothing has run in it.
struct WarmPool {
    private struct Spare {
        let order: Nursery.Order
        let sandbox: RunningSandbox
    }

    /// What to have ready: what was started last, last.
    private var wanted: [Nursery.Order] = []
    private var spares: [Spare] = []

    /// How many wait.
    var count: Int { spares.count }

    /// One that is confined as the order wants it.
    mutating func take(for order: Nursery.Order) -> RunningSandbox? {
        guard let index = spares.firstIndex(where: { $0.order.isAlike(order) }) else { return nil }
        return spares.remove(at: index).sandbox
    }

    /// Remembers what a start was like, when its policy wants the next to be ready.
    mutating func want(_ order: Nursery.Order) {
        guard order.warm > 0, order.plan.trees.isEmpty else { return }
        wanted.removeAll { $0.isAlike(order) }
        wanted.append(order.asSpare())
        if wanted.count > Limit.warmKinds { wanted.removeFirst() }
    }

    /// What is missing, to be made next; nil when nothing is.
    var missing: Nursery.Order? {
        wanted.last { order in
            spares.count { $0.order.isAlike(order) } < order.warm
        }
    }

    /// Keeps one that waits.
    mutating func keep(_ sandbox: RunningSandbox, as order: Nursery.Order) {
        spares.append(Spare(order: order, sandbox: sandbox))
    }

    /// Makes no more of a kind that could not be made.
    mutating func giveUp(_ order: Nursery.Order) { wanted.removeAll { $0.isAlike(order) } }

    /// Those that wait, none of which is wanted any more.
    mutating func giveUpAll() -> [RunningSandbox] {
        wanted = []
        return spares.map(\.sandbox)
    }

    /// Forgets one that has ended, and its kind when it ended by itself.
    mutating func ended(_ sandbox: RunningSandbox) {
        guard let index = spares.firstIndex(where: { $0.sandbox === sandbox }) else { return }
        let spare = spares.remove(at: index)
        if !sandbox.requested { giveUp(spare.order) }
    }
}

extension Nursery.Order {
    /// Whether a sandbox made for one is confined as the other wants it.
    func isAlike(_ other: Nursery.Order) -> Bool {
        tree.name == other.tree.name && profile == other.profile && limits == other.limits
            && plan.confinement == other.plan.confinement && network.kind == other.network.kind
    }

    /// The same for nobody yet.
    func asSpare() -> Nursery.Order {
        var spare = self
        spare.purpose = .spare
        spare.user = nil
        spare.plan = plan.confinement
        return spare
    }
}

extension LaunchPlan {
    /// What it confines to, without who runs what in it.
    fileprivate var confinement: LaunchPlan {
        var plan = self
        plan.uid = 0
        plan.directory = "/"
        plan.arguments = []
        plan.environment = []
        return plan
    }
}
