import Kernel
import NetworkRules
import Policy
import RunCards
import Sandbox
import YAML

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
    /// What a policy, narrowed already, grants.
    init(_ policy: Policy, source: Source, owner: String) {
        rules = policy.egressRules
        kind = rules.allow.isEmpty ? nil : .gateway(loopback: false)
        self.source = source
        self.owner = owner
    }

    /// What the installation of a card may reach.
    init(installing card: RunCard, _ policy: Policy) {
        rules = policy.installRules
        kind = rules.allow.isEmpty ? nil : .gateway(loopback: false)
        source = .installation(card: card.name)
        owner = "install \(card.name)"
    }
}

extension Policy {
    /// Nil for what whoever read the policy would have refused.
    private static func destination(_ text: String) -> Destination? {
        do throws(MalformedDestination) { return try Destination(text) } catch { return nil }
    }

    /// Those for its installations; without any they have the host's network.
    var installRules: EgressRules {
        var rules = egressRules
        rules.allow = []
        return rules
    }

    /// The rules by which the gateway decides.
    var egressRules: EgressRules {
        var allow: [EgressRules.Allow] = []
        for (index, text) in network.allow.enumerated() {
            guard let destination = Self.destination(text) else { continue }
            allow.append(
                EgressRules.Allow(
                    destination: destination, allowsPrivate: false, text: text,
                    place: place(of: "network.allow[\(index)]").description))
        }
        let deny = network.deny.compactMap { name in
            AddressSet(rawValue: name).map {
                EgressRules.Deny(set: $0, place: place(of: "network.deny").description)
            }
        }
        return EgressRules(
            allow: allow, deny: deny,
            limits: .init(
                connections: 64, connectionsPerSecond: 50, bytesPerCall: nil, bytesPerDay: nil,
                idleMilliseconds: 300_000, lifeMilliseconds: nil))
    }
}
