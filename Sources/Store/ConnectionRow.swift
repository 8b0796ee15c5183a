/// A registered connection as the store keeps it: a row of `mcp_connections`.
public struct ConnectionRow: Sendable, Equatable {
    /// Whether the last start succeeded.
    public enum Status: String, Sendable, Equatable, CaseIterable {
        /// It did.
        case ready
        /// It did not.
        case failed
    }

    /// The connection's identity.
    public var id: UUID
    /// Whose it is: the uid in decimal.
    public var user: String
    /// Its name, unique for its user.
    public var name: String
    /// The run card it was made from.
    public var card: String
    /// Its settings, a JSON object as text.
    public var settings: String
    /// Where its credentials are kept; nil when it has none.
    public var credentialReference: UUID?
    /// Whether the last start succeeded.
    public var status: Status
    /// The server's `tools` array as it sent it, JSON as text.
    public var tools: String
    /// What the server offers beside its tools, a JSON object as text; nil when it was not asked.
    public var features: String?
    /// The era its server was found to speak, `modern` or `legacy`; nil when not known.
    public var era: String?
    /// When it was registered.
    public var createdAt: Timestamp
    /// When a tool of it was last called; nil when never.
    public var lastUsed: Timestamp?
    /// How many calls its tools have had.
    public var usageCount: Int

    /// Makes a row; a new connection has a new identity, no usage and the present time.
    public init(
        id: UUID = UUID(), user: String, name: String, card: String, settings: String = "{}",
        credentialReference: UUID? = nil, status: Status = .ready, tools: String = "[]",
        features: String? = nil, era: String? = nil, createdAt: Timestamp = .now(),
        lastUsed: Timestamp? = nil,
        usageCount: Int = 0
    ) {
        self.id = id
        self.user = user
        self.name = name
        self.card = card
        self.settings = settings
        self.credentialReference = credentialReference
        self.status = status
        self.tools = tools
        self.features = features
        self.era = era
        self.createdAt = createdAt
        self.lastUsed = lastUsed
        self.usageCount = usageCount
    }
}
