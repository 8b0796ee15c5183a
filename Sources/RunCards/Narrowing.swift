public import Policy
public import YAML

extension RunCard {
    /// What holds for this card's sandboxes: the policy, with the card's wishes inside its bounds
    /// and only the destinations that the card asks for.
    ///
    /// Throws every wish that the policy does not grant, each naming both files.
    public func narrowed(by policy: Policy) throws(Mistakes) -> Policy {
        var narrow = policy
        var mistakes: [Mistake] = []
        if let memory {
            if memory > policy.limits.memory.max {
                mistakes.append(
                    above(
                        "limits.memory", sizeText(memory), sizeText(policy.limits.memory.max),
                        policy))
            }
            narrow.limits.memory.standard = memory
        }
        if let callTimeout {
            if callTimeout > policy.limits.callTimeout.max {
                let max = durationText(policy.limits.callTimeout.max)
                mistakes.append(
                    above("limits.call_timeout", durationText(callTimeout), max, policy))
            }
            narrow.limits.callTimeout.standard = callTimeout
        }
        if let life {
            if let max = policy.limits.life, life > max {
                mistakes.append(
                    above("limits.life", durationText(life), durationText(max), policy))
            }
            narrow.limits.life = life
        }
        if let addressSpace {
            if let max = policy.limits.addressSpace, addressSpace > max {
                mistakes.append(
                    above("limits.address_space", sizeText(addressSpace), sizeText(max), policy))
            }
            narrow.limits.addressSpace = addressSpace
        }
        mistakes += narrowDisks(&narrow)
        mistakes += networkAllow.compactMap { ungranted($0, policy) }
        guard mistakes.isEmpty else { throw Mistakes(mistakes) }
        narrow.network.allow = networkAllow
        return narrow
    }

    /// Each rate on its own; one that the policy leaves open may be limited here.
    private func narrowDisks(_ policy: inout Policy) -> [Mistake] {
        guard let io else { return [] }
        var rates = policy.limits.io ?? Policy.IO()
        var mistakes: [Mistake] = []
        func narrow(_ wish: Int?, _ rate: inout Int?, _ key: String, _ text: (Int) -> String) {
            guard let wish else { return }
            if let max = rate, wish > max {
                mistakes.append(above("limits.io." + key, text(wish), text(max), policy))
            }
            rate = wish
        }
        narrow(io.read, &rates.read, "read", sizeText)
        narrow(io.write, &rates.write, "write", sizeText)
        narrow(io.reads, &rates.reads, "reads") { String($0) }
        narrow(io.writes, &rates.writes, "writes") { String($0) }
        if policy.limits.io == nil { policy.places["limits.io"] = place(of: "limits.io") }
        policy.limits.io = rates
        return mistakes
    }

    private func ungranted(_ wish: Policy.Network.Grant, _ policy: Policy) -> Mistake? {
        let network = policy.network
        guard !network.grants(wish.destination, private: wish.allowsPrivate) else { return nil }
        let what =
            network.grants(wish.destination) ? "'\(wish.text)' with 'private'" : "'\(wish.text)'"
        return Mistake(
            wish.place,
            "\(what) is not granted by policy '\(policy.name)' "
                + "(\(policy.place(of: "network.allow")): network.allow)")
    }

    private func above(
        _ key: String, _ wish: String, _ max: String, _ policy: Policy
    ) -> Mistake {
        Mistake(
            place(of: key),
            "\(wish) is above the \(max) that policy '\(policy.name)' grants "
                + "(\(policy.place(of: key)): \(key))")
    }
}
