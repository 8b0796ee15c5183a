public import NetworkRules
public import YAML

extension Policy {
    /// Where a tool may connect to, and how much of the network it may use; an empty `allow` means
    /// no network at all.
    public struct Network: Sendable, Equatable {
        /// Whose loopback addresses a tool finds under 127.0.0.0/8 and ::1.
        public enum Loopback: String, Sendable, CaseIterable {
            /// Nobody's.
            case none
            /// The sandbox's own: its processes may talk to each other there.
            case own
        }

        /// One entry of `allow`.
        public struct Grant: Sendable, Equatable {
            /// What it grants.
            public var destination: Destination
            /// Whether it stands above the denied set `private`; only for one name or one address.
            public var allowsPrivate: Bool
            /// Where it is written.
            public var place: Place

            /// Describes an entry.
            public init(destination: Destination, allowsPrivate: Bool = false, place: Place) {
                self.destination = destination
                self.allowsPrivate = allowsPrivate
                self.place = place
            }

            /// The destination as it is written.
            public var text: String { destination.description }
        }

        /// Sets of addresses that are refused whatever `allow` says.
        public var deny: [AddressSet]
        /// Destinations that are granted.
        public var allow: [Grant]
        /// Whose loopback addresses there are.
        public var loopback = Loopback.none
        /// Connections open at once.
        public var connections = 64
        /// New connections in a second.
        public var connectionsPerSecond = 50
        /// Bytes in both directions of one call; nil for as many as it likes.
        public var bytesPerCall: Int?
        /// Bytes in both directions of a day, UTC; nil for as many as it likes.
        public var bytesPerDay: Int?
        /// How long a connection may pass no byte.
        public var idleTimeout = Duration.seconds(300)
        /// How long a connection may last; nil for as long as it is used.
        public var life: Duration?

        /// Grants and refuses; the limits are those that hold where a file states none.
        public init(deny: [AddressSet] = AddressSet.allCases, allow: [Grant] = []) {
            self.deny = deny
            self.allow = allow
        }

        /// Whether there is any way out of a sandbox.
        public var isNetworked: Bool { !allow.isEmpty }

        /// Whether entries of `allow` name all that a destination does; when it is to reach
        /// private addresses, entries that allow them.
        public func grants(_ destination: Destination, private: Bool = false) -> Bool {
            allow.filter { $0.allowsPrivate || !`private` }.map(\.destination).cover(destination)
        }
    }
}

extension Policy {
    /// The rules that the gateway decides by for a sandbox of this policy.
    public var egressRules: EgressRules { rules(network, "network") }

    /// The rules that the gateway decides by while packages are installed.
    public var installRules: EgressRules { rules(installNetwork, "install.network") }

    /// The policy with the destinations that a user chose for one command, each `host:port` as
    /// `network.allow` has it; with none chosen, its own.
    ///
    /// Throws for one that the policy does not grant; root's are added to what it grants. One that
    /// the policy lets reach private addresses still may.
    public func allowing(_ texts: [String], isRoot: Bool) throws(Wrong) -> Policy {
        guard !texts.isEmpty else { return self }
        var narrow = self
        narrow.network.allow = []
        for text in texts {
            let wish: Destination
            do throws(MalformedDestination) {
                wish = try Destination(text)
            } catch {
                throw Wrong("'\(printable(text))' is not accepted: \(error.message)")
            }
            let isGranted = network.grants(wish)
            guard isGranted || isRoot else {
                throw Wrong(
                    "'\(text)' is not granted by policy '\(name)' "
                        + "(\(place(of: "network.allow")): network.allow)")
            }
            let mayBePrivate = wish.host.isSingle && network.grants(wish, private: true)
            let place = isGranted ? place(ofGrantFor: wish) : Place(file: "--allow")
            narrow.network.allow.append(
                Network.Grant(destination: wish, allowsPrivate: mayBePrivate, place: place))
        }
        return narrow
    }

    private func place(ofGrantFor wish: Destination) -> Place {
        network.allow.first { $0.destination.covers(wish) }?.place ?? place(of: "network.allow")
    }

    private func rules(_ network: Network, _ key: String) -> EgressRules {
        let limits = EgressRules.Limits(
            connections: network.connections, connectionsPerSecond: network.connectionsPerSecond,
            bytesPerCall: network.bytesPerCall, bytesPerDay: network.bytesPerDay,
            idleMilliseconds: network.idleTimeout.wholeMilliseconds,
            lifeMilliseconds: network.life?.wholeMilliseconds)
        let keys = [
            "allow", "connections", "connections_per_second", "bytes_per_call", "bytes_per_day",
            "idle_timeout", "life",
        ]
        // The gateway knows one name of each limit, whatever phase it serves.
        let places = keys.map { ("network." + $0, ruleText(nearestPlace(of: key + "." + $0))) }
        return EgressRules(
            allow: network.allow.map { grant in
                EgressRules.Allow(
                    destination: grant.destination, allowsPrivate: grant.allowsPrivate,
                    text: grant.text, place: ruleText(grant.place))
            },
            deny: network.deny.enumerated().map { index, set in
                EgressRules.Deny(
                    set: set, place: ruleText(nearestPlace(of: "\(key).deny[\(index)]")))
            },
            limits: limits, limitPlaces: Dictionary(uniqueKeysWithValues: places))
    }

    /// Where a key is written, or the innermost group around it that is.
    private func nearestPlace(of key: String) -> Place {
        var key = key[...]
        while places[String(key)] == nil, let end = key.lastIndex(where: { ".[".contains($0) }) {
            key = key[..<end]
        }
        return place(of: String(key))
    }

    /// `policies/default.yaml:21`: enough of a file's path to find it, for messages.
    private func ruleText(_ place: Place) -> String {
        let parts = place.file.split(separator: "/").suffix(2)
        // What a user typed stands in no line.
        guard place.file != "--allow" else { return place.file }
        return parts.joined(separator: "/") + ":\(place.line)"
    }
}
