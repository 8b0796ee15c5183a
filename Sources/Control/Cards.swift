public import JSONRPC

/// `corral/cards/list`: the run cards the caller may use, by name.
public enum CardsList: ControlMethod {
    /// The method's name.
    public static let method = "corral/cards/list"
    /// Nothing is asked.
    public typealias Params = Empty

    /// The cards.
    public struct Result: ControlValue {
        /// The cards, sorted by name.
        public var cards: [Card]

        /// Makes an answer.
        public init(cards: [Card]) {
            self.cards = cards
        }

        /// Reads an answer.
        public init(json: JSON) throws(ControlError) {
            cards = try Fields(json, in: "result").values("cards", as: Card.self)
        }

        /// The answer as it is sent.
        public var json: JSON { ["cards": .array(cards.map(\.json))] }
    }
}

/// `corral/cards/get`: one run card.
public enum CardsGet: ControlMethod {
    /// The method's name.
    public static let method = "corral/cards/get"
    /// Which card.
    public typealias Params = NameParams
    /// The card.
    public typealias Result = Card
}
