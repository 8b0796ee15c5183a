import Configuration
import Kernel
import NetworkRules
import Policy
import Sandbox
import SupervisorProtocol
import YAML

extension Supervisor {
    /// Reads policies, cards and access rules anew. A mistake anywhere changes nothing; otherwise
    /// everything that starts from here on goes by the new ones, and what runs gets their network
    /// rules. Answered when those hold; `id` 0 is a signal's.
    func reload(_ id: UInt64) throws(KernelError) {
        let new: PolicySet
        do throws(Mistakes) {
            new = try PolicySet.load(
                policies: settings.policies, runcards: door == nil ? nil : settings.runcards,
                .owners)
            try adopt(new)
        } catch {
            journal.event("reload-refused", [("mistakes", error.description)])
            return try send(.reloaded(id: id, mistakes: error.description))
        }
        journal.event("reloaded")
        try talk { () throws(KernelError) in
            try gateway.renew { grant in grant.rules(by: new) }
        }
        // A link that leads to another file now changes neither of the two.
        giveFiles()
        reloads.append(id)
        try answerReloads()
    }

    /// Tells the broker once every running sandbox goes by the rules, or has no network.
    func answerReloads() throws(KernelError) {
        guard gateway.pending.isEmpty else { return }
        let done = reloads
        reloads = []
        for id in done { try send(.reloaded(id: id, mistakes: "")) }
    }

    /// Replaces the set, and lets go of what was made ahead from what has changed.
    private func adopt(_ new: PolicySet) throws(Mistakes) {
        let old = set
        do throws(SandboxError) {
            try nursery.templates.adopt(new.profiles, needed: ["broker", "egress"]) { tree in
                Self.isStale(tree, old, new)
            }
            door?.seat.filter = try nursery.templates.filter("broker").bytes
            gateway.seat.filter = try nursery.templates.filter("egress").bytes
        } catch {
            throw Mistakes(YAML.Place(file: settings.policies + "/syscalls"), error.description)
        }
        set = new
        nursery.warm.empty()
    }

    /// Whether a tree with this name is another one by the new set.
    private static func isStale(_ tree: [String], _ old: PolicySet, _ new: PolicySet) -> Bool {
        guard tree.count > 1 else { return true }
        return switch tree[0] {
        case "run": old.narrowed[tree[1]]?.filesystem != new.narrowed[tree[1]]?.filesystem
        case "command": old.policies[tree[1]]?.filesystem != new.policies[tree[1]]?.filesystem
        // An installation's: it ends with it.
        default: false
        }
    }
}

extension NetworkGrant {
    /// The rules that follow from the same grant by other files; none when those no longer know
    /// what it was granted by.
    func rules(by set: PolicySet) -> EgressRules {
        let now: EgressRules? =
            switch source {
            case .card(let name): set.narrowed[name]?.egressRules
            case .run(let policy, let allow, let isRoot):
                set.policies[policy]?.rules(allowing: allow, isRoot: isRoot)
            case .installation(let card): set.narrowed[card]?.installRules
            }
        if let now { return now }
        var nothing = rules
        nothing.allow = []
        return nothing
    }
}

extension Policy {
    /// The rules for a command; nil when it asked for what the policy no longer grants.
    fileprivate func rules(allowing allow: [String], isRoot: Bool) -> EgressRules? {
        do throws(Wrong) {
            return try allowing(allow, isRoot: isRoot).egressRules
        } catch {
            return nil
        }
    }
}
