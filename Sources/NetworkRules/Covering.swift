extension Destination {
    /// Whether everything that `other` names is named by this one too.
    public func covers(_ other: Destination) -> Bool { [self].cover(other) }

    /// Whether a port is named.
    func names(port: UInt16) -> Bool { ports.contains { $0.contains(port) } }
}

extension Destination.Host {
    /// Whether every host that `other` names is named by this one too.
    func covers(_ other: Destination.Host) -> Bool {
        switch (self, other) {
        case (.name(let name), .name(let other)): name == other
        case (.subdomains(let parent), .name(let name)): name.isSubdomain(of: parent)
        case (.subdomains(let parent), .subdomains(let other)):
            parent == other || other.isSubdomain(of: parent)
        case (.range(let range), .range(let other)): range.contains(other)
        case (.hostAddresses, .hostAddresses): true
        default: false
        }
    }

    /// Whether it is one name or one address.
    public var isSingle: Bool {
        switch self {
        case .name: true
        case .range(let range): range.isSingle
        case .subdomains, .hostAddresses: false
        }
    }
}

extension Sequence where Element == Destination {
    /// Whether everything that `wish` names is named here: its hosts by each of some entries, its
    /// ports by these together.
    public func cover(_ wish: Destination) -> Bool {
        let ports = filter { $0.host.covers(wish.host) }.flatMap(\.ports)
            .sorted { $0.lowerBound < $1.lowerBound }
        return !wish.ports.isEmpty
            && wish.ports.allSatisfy { range in
                // The first port that is still to be found.
                var next = Int(range.lowerBound)
                for have in ports where have.lowerBound <= next {
                    next = Swift.max(next, Int(have.upperBound) + 1)
                }
                return next > Int(range.upperBound)
            }
    }
}
