import Sandbox

/// Sandboxes made before anybody asks, for policies that have `warm`: fully confined, each waits to
/// be told what to run. One serves one start, of any user: nothing has run in it.
///
/// Kinds are kept from the one unused longest to the one used last, and the first go when there are
/// too many, or when nobody has wanted them for as long as their policy keeps an idle server.
struct WarmPool<Member: AnyObject> {
    /// What starts have in common when the same sandbox can serve them.
    final class Kind {
        /// How one that waits is made.
        let order: Nursery.Order
        /// When one was last started or seen running, by the monotonic clock in microseconds.
        fileprivate(set) var used: UInt64
        /// Whether one could not be made, or did not last: no more before the next start.
        fileprivate var rests = false

        fileprivate init(_ order: Nursery.Order, now: UInt64) {
            self.order = order
            used = now
        }

        /// When nobody wants it any more.
        fileprivate var due: UInt64 { used + order.idleMicroseconds }
    }

    private struct Spare {
        let kind: Kind
        let member: Member
        /// Whether the look from outside has found every wall in force.
        var isSound = false
    }

    private var kinds: [Kind] = []
    private var spares: [Spare] = []
    private var unwanted: [Member] = []

    /// How many wait.
    var count: Int { spares.count }

    /// One that is confined as the order wants it, and has been looked at.
    mutating func take(for order: Nursery.Order) -> Member? {
        let index = spares.firstIndex { $0.isSound && $0.kind.order.isAlike(order) }
        return index.map { spares.remove(at: $0).member }
    }

    /// Remembers what a start is like, when its policy wants the next to be ready.
    mutating func want(_ order: Nursery.Order, now: UInt64) -> Kind? {
        guard order.warm > 0, order.plan.trees.isEmpty else { return nil }
        let kind: Kind
        if let index = kinds.firstIndex(where: { $0.order.isAlike(order) }) {
            kind = kinds.remove(at: index)
            kind.used = now
            kind.rests = false
        } else {
            kind = Kind(order.asSpare(), now: now)
        }
        kinds.append(kind)
        while kinds.count > Limit.warmKinds
            || kinds.reduce(0, { $0 + $1.order.warm }) > Limit.warmSandboxes
        {
            forget(kinds[0])
        }
        return kind
    }

    /// Of what one more is to be made next; nil when nothing is missing.
    var missing: Kind? {
        kinds.last { kind in
            !kind.rests && spares.count { $0.kind === kind } < kind.order.warm
        }
    }

    /// Keeps one that has been cloned; it serves nobody before it is trusted.
    mutating func keep(_ member: Member, as kind: Kind) {
        spares.append(Spare(kind: kind, member: member))
    }

    /// The look from outside has found one confined.
    mutating func trust(_ member: Member) {
        guard let index = spares.firstIndex(where: { $0.member === member }) else { return }
        spares[index].isSound = true
    }

    /// Makes no more of a kind before somebody starts one.
    func rest(_ kind: Kind) { kind.rests = true }

    /// Forgets one that has ended, and makes no more of its kind when it ended by itself.
    mutating func ended(_ member: Member) {
        guard let index = spares.firstIndex(where: { $0.member === member }) else { return }
        rest(spares.remove(at: index).kind)
    }
}

extension WarmPool {
    /// When the next kind is out of use; nil when there is none.
    var due: UInt64? { kinds.map(\.due).min() }

    /// Forgets kinds that nobody has started for too long and of which none runs.
    mutating func forgetUnused(now: UInt64, isRunning: (Kind) -> Bool) {
        for kind in kinds where kind.due <= now {
            if isRunning(kind) { kind.used = now } else { forget(kind) }
        }
    }

    /// Forgets everything.
    mutating func empty() {
        for kind in kinds { forget(kind) }
    }

    /// Gives up one of the kind that was unused longest, and makes no more of it for now.
    mutating func giveUpOne() -> Member? {
        for kind in kinds {
            guard let index = spares.firstIndex(where: { $0.kind === kind }) else { continue }
            rest(kind)
            return spares.remove(at: index).member
        }
        return nil
    }

    /// Those that nobody wants any more, to be ended by the caller.
    mutating func takeUnwanted() -> [Member] {
        defer { unwanted = [] }
        return unwanted
    }

    private mutating func forget(_ kind: Kind) {
        kinds.removeAll { $0 === kind }
        unwanted += spares.filter { $0.kind === kind }.map(\.member)
        spares.removeAll { $0.kind === kind }
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
