extension Store {
    /// Makes the index say what the card files say: cards that are gone leave it, the others keep
    /// their popularity and the tools that were seen.
    public func indexCards(_ cards: [CardRow]) throws(StoreError) {
        let step = "index-cards"
        try database.transaction(step) { () throws(StoreError) in
            let present = Set(cards.map(\.name))
            let known = try database.run("read", step, "SELECT card_name FROM mcp_run_cards")
            for row in known where !present.contains(row.text(0)) {
                try database.run(
                    "write", step, "DELETE FROM mcp_run_cards WHERE card_name = ?",
                    [.text(row.text(0))])
            }
            for card in cards { try index(card, step) }
        }
    }

    private func index(_ card: CardRow, _ step: String) throws(StoreError) {
        try database.run(
            "write", step,
            """
            INSERT INTO mcp_run_cards
                (card_name, mcp_type, description, config_template, required_credentials,
                 available_tools, popularity_score, created_by, is_public)
            VALUES (?, ?, ?, ?, ?, '[]', ?, ?, ?)
            ON CONFLICT (card_name) DO UPDATE SET
                mcp_type = excluded.mcp_type, description = excluded.description,
                config_template = excluded.config_template,
                required_credentials = excluded.required_credentials,
                created_by = excluded.created_by, is_public = excluded.is_public
            """,
            [
                .text(card.name), .text(card.type), .text(card.description), .text(card.settings),
                .text(card.credentials), .integer(card.popularity), .text(card.createdBy),
                .flag(card.isPublic),
            ])
    }

    /// Notes the tools (names as a JSON array, as text) that a card's server was seen to offer.
    public func setCardTools(_ tools: String, card: String) throws(StoreError) {
        try database.run(
            "write", "set-card-tools",
            "UPDATE mcp_run_cards SET available_tools = ? WHERE card_name = ?",
            [.text(tools), .text(card)])
    }

    /// The index, the most popular card first.
    public func cards() throws(StoreError) -> [CardRow] {
        try database.run(
            "read", "list-cards",
            """
            SELECT card_name, mcp_type, description, config_template, required_credentials,
                   popularity_score, created_by, is_public
            FROM mcp_run_cards ORDER BY popularity_score DESC, card_name
            """
        ).map { row in
            CardRow(
                name: row.text(0), type: row.text(1), description: row.text(2),
                settings: row.text(3), credentials: row.text(4), popularity: row.integer(5),
                createdBy: row.text(6), isPublic: row.integer(7) == 1)
        }
    }
}
