import Kernel
import NetworkRules
import Policy
import RunCards
import Sandbox

/// What a sandbox has of the network, and from where it can be told again when the files change.
struct NetworkGrant: Equatable {
    /// What its rules follow from.
    enum Source: Equatable {
        /// A card's server, by the card's name.
        case card(String)
        /// A command with a policy, by its name, and the destinations that were asked for.
        case run(policy: String, allow: [String], isRoot: Bool)
        /// An installation of a card.
        case installation(card: String)
    }

    /// The namespace; nil for one without any device that is up.
    var kind: SandboxNetwork.Kind?
    /// Whose it is, as the gateway tells and counts it.
    var owner = ""
    var source: Source
    var rules: EgressRules

    /// What the second wall leaves open.
    var tcp: LaunchPlan.TCP {
        switch kind {
        case nil: .none
        case .gateway(loopback: false): .connect
        case .loopback, .gateway(loopback: true): .all
        }
    }
}

extension NetworkGrant {
    /// What a policy, narrowed already, grants, with its rules.
    init(_ policy: Policy, _ rules: EgressRules, source: Source, owner: String) {
        self.rules = rules
        let own = policy.network.loopback == .own
        kind = policy.network.isNetworked ? .gateway(loopback: own) : own ? .loopback : nil
        self.source = source
        self.owner = owner
    }

    /// What the installation of a card may reach.
    init(installing card: RunCard, _ policy: Policy) {
        rules = policy.installRules
        kind = policy.installNetwork.isNetworked ? .gateway(loopback: false) : nil
        source = .installation(card: card.name)
        owner = "install \(card.name)"
    }
}
