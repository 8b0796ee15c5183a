extension EgressRules {
    /// Whether a connection may be made: asked when a program dials, again with the very address
    /// that is dialled for it, and again of every open connection when the rules change.
    ///
    /// `names` are those that the sandbox was given this address for and that still hold;
    /// `isHost` says that it is an address of the host's own. What is denied is denied whatever
    /// `allow` says; but an entry that allows private addresses stands above the set `private`, and
    /// so does `host_addresses` for the addresses that it names.
    public func verdict(
        address: IPAddress, port: UInt16, names: some Sequence<HostName>, isHost: Bool
    ) -> Verdict {
        let names = Array(names)
        return judge(address, isHost: isHost) { destination in
            destination.names(port: port)
                && destination.host.matches(address, names: names, isHost: isHost)
        }
    }

    /// Whether a name may be asked for.
    public func verdict(name: HostName) -> Verdict {
        if AddressSet.metadataNames.contains(name.text),
            let deny = deny.first(where: { $0.set == .metadata })
        {
            return .denied(Denial(.deniedSet, set: .metadata, place: deny.place))
        }
        let rule = allow.firstIndex { $0.destination.host.covers(.name(name)) }
        return rule.map { .allowed(rule: $0) } ?? .denied(Denial(.notAllowed, place: allowPlace))
    }

    /// Whether an answer may hold this address for a name: what `verdict(address:…)` would say of
    /// it on at least one port.
    public func mayAnswer(_ address: IPAddress, for name: HostName, isHost: Bool) -> Bool {
        let verdict = judge(address, isHost: isHost) { destination in
            !destination.ports.isEmpty
                && destination.host.matches(address, names: [name], isHost: isHost)
        }
        if case .allowed = verdict { return true }
        return false
    }

    private var allowPlace: String { limitPlaces["network.allow"] ?? "" }

    /// The verdict on an address for which the entries of `allow` that `matches` are asked.
    private func judge(
        _ address: IPAddress, isHost: Bool, _ matches: (Destination) -> Bool
    ) -> Verdict {
        let denied = denied(address)
        if let denied, denied.set != .private { return .denied(denied) }
        let rule = allow.indices.first { index in
            let entry = allow[index]
            let isHostEntry = entry.destination.host == .hostAddresses
            return (!isHost || isHostEntry)
                && (denied == nil || entry.allowsPrivate || isHostEntry)
                && matches(entry.destination)
        }
        if let rule { return .allowed(rule: rule) }
        if isHost { return .denied(Denial(.hostAddress, place: allowPlace)) }
        return .denied(denied ?? Denial(.notAllowed, place: allowPlace))
    }

    /// What of `deny` names the address: the set that says most about it, and `private` only when
    /// no other does, since an entry may stand above that one.
    private func denied(_ address: IPAddress) -> Denial? {
        let order: [AddressSet] = [
            .metadata, .localhost, .linkLocal, .multicast, .reserved, .private,
        ]
        for set in order where set.contains(address) {
            guard let entry = deny.first(where: { $0.set == set }) else { continue }
            return Denial(.deniedSet, set: set, place: entry.place)
        }
        return nil
    }
}

extension Destination.Host {
    /// Whether a connection to this address is one to these hosts.
    fileprivate func matches(_ address: IPAddress, names: [HostName], isHost: Bool) -> Bool {
        switch self {
        case .name(let name): names.contains(name)
        case .subdomains(let parent): names.contains { $0.isSubdomain(of: parent) }
        case .range(let range): range.contains(address)
        // Loopback is the host's own in another sense: nothing grants it.
        case .hostAddresses: isHost && !AddressSet.localhost.contains(address)
        }
    }
}
