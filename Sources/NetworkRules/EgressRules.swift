/// Where one sandbox may connect to: a policy's network rules, narrowed by the card, as the gateway
/// decides by them.
public struct EgressRules: Sendable, Hashable {
    /// One entry of `network.allow`.
    public struct Allow: Sendable, Hashable {
        /// What it grants.
        public var destination: Destination
        /// Whether it stands above the denied set `private`; only for one name or one address.
        public var allowsPrivate: Bool
        /// The entry as it is written, for people: `api.github.com:443`.
        public var text: String
        /// Where it stands: `FILE:LINE`.
        public var place: String

        /// Describes an entry.
        public init(destination: Destination, allowsPrivate: Bool, text: String, place: String) {
            self.destination = destination
            self.allowsPrivate = allowsPrivate
            self.text = text
            self.place = place
        }
    }

    /// One entry of `network.deny`.
    public struct Deny: Sendable, Hashable {
        /// What it refuses.
        public var set: AddressSet
        /// Where it stands: `FILE:LINE`.
        public var place: String

        /// Describes an entry.
        public init(set: AddressSet, place: String) {
            self.set = set
            self.place = place
        }
    }

    /// How much of the network a sandbox may use; nil where there is no limit.
    public struct Limits: Sendable, Hashable {
        /// Connections open at once.
        public var connections: Int
        /// New connections in a second.
        public var connectionsPerSecond: Int
        /// Bytes in both directions from a call's start to its end.
        public var bytesPerCall: Int?
        /// Bytes in both directions from midnight to midnight, UTC.
        public var bytesPerDay: Int?
        /// How long a connection may pass no byte, in milliseconds.
        public var idleMilliseconds: Int
        /// How long a connection may last, in milliseconds.
        public var lifeMilliseconds: Int?

        /// Describes limits.
        public init(
            connections: Int, connectionsPerSecond: Int, bytesPerCall: Int?, bytesPerDay: Int?,
            idleMilliseconds: Int, lifeMilliseconds: Int?
        ) {
            self.connections = connections
            self.connectionsPerSecond = connectionsPerSecond
            self.bytesPerCall = bytesPerCall
            self.bytesPerDay = bytesPerDay
            self.idleMilliseconds = idleMilliseconds
            self.lifeMilliseconds = lifeMilliseconds
        }
    }

    /// What is granted, unless it is refused.
    public var allow: [Allow]
    /// What is refused whatever `allow` says.
    public var deny: [Deny]
    /// How much may be used.
    public var limits: Limits
    /// Where the limits stand, and `allow` itself, by their key (`network.connections`,
    /// `network.allow`): `FILE:LINE`.
    public var limitPlaces: [String: String]

    /// Describes rules.
    public init(
        allow: [Allow], deny: [Deny], limits: Limits, limitPlaces: [String: String] = [:]
    ) {
        self.allow = allow
        self.deny = deny
        self.limits = limits
        self.limitPlaces = limitPlaces
    }
}
