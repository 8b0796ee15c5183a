/// A run card as the index keeps it: a row of `mcp_run_cards`.
///
/// The card's file is the source.
public struct CardRow: Sendable, Equatable {
    /// The card's name.
    public var name: String
    /// What kind of server it starts; for now the card's own name.
    public var type: String
    /// One line on what it gives.
    public var description: String
    /// Its settings, JSON as text.
    public var settings: String
    /// The credentials it requires, JSON as text.
    public var credentials: String
    /// How many connections were ever made from it; kept when the card is indexed again.
    public var popularity: Int
    /// Who wrote it: `admin` for files of the configuration.
    public var createdBy: String
    /// Whether everyone may use it.
    public var isPublic: Bool

    /// Makes a row.
    public init(
        name: String, type: String, description: String, settings: String = "[]",
        credentials: String = "[]", popularity: Int = 0, createdBy: String = "admin",
        isPublic: Bool = true
    ) {
        self.name = name
        self.type = type
        self.description = description
        self.settings = settings
        self.credentials = credentials
        self.popularity = popularity
        self.createdBy = createdBy
        self.isPublic = isPublic
    }
}
