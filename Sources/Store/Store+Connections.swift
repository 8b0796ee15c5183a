extension Store {
    /// Stores a new connection and its credentials together, and counts its card as used once more.
    ///
    /// `credentials` are kept under the row's `credentialReference`, which must be set if there are
    /// any. Throws `connectionExists` when the user has one of that name.
    public func insertConnection(
        _ row: ConnectionRow, credentials: [String: [UInt8]] = [:]
    ) throws(StoreError) {
        let step = "insert-connection"
        try database.transaction(step) { () throws(StoreError) in
            try insert(row, step)
            for (name, value) in credentials {
                try database.run(
                    "write", step,
                    "INSERT INTO mcp_credentials (reference, name, value) VALUES (?, ?, ?)",
                    [.optional(row.credentialReference?.description), .text(name), .blob(value)])
            }
            try database.run(
                "write", step,
                """
                UPDATE mcp_run_cards SET popularity_score = popularity_score + 1
                WHERE card_name = ?
                """, [.text(row.card)])
        }
    }

    private func insert(_ row: ConnectionRow, _ step: String) throws(StoreError) {
        try database.run(
            "write", step,
            """
            INSERT INTO mcp_connections
                (id, user_id, connection_name, mcp_type, connection_config, credential_reference,
                 status, tools_available, features_available, server_era, created_at, last_used,
                 usage_count)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (user_id, connection_name) DO NOTHING
            """,
            [
                .text(row.id.description), .text(row.user), .text(row.name), .text(row.card),
                .text(row.settings), .optional(row.credentialReference?.description),
                .text(row.status.rawValue), .text(row.tools), .optional(row.features),
                .optional(row.era),
                .integer(row.createdAt.milliseconds), .optional(row.lastUsed),
                .integer(row.usageCount),
            ])
        guard database.changes == 1 else {
            throw StoreError(
                .connectionExists, verb: "write", file: database.file, step: step,
                cause: "user \(row.user) has a connection '\(row.name)' already")
        }
    }

    /// All connections, by user and name.
    public func connections() throws(StoreError) -> [ConnectionRow] {
        try database.run(
            "read", "list-connections",
            """
            SELECT id, user_id, connection_name, mcp_type, connection_config, credential_reference,
                   status, tools_available, server_era, created_at, last_used, usage_count,
                   features_available
            FROM mcp_connections ORDER BY user_id, connection_name
            """
        ).map(connection)
    }

    /// One user's connections, by name.
    public func connections(user: String) throws(StoreError) -> [ConnectionRow] {
        try database.run(
            "read", "list-connections",
            """
            SELECT id, user_id, connection_name, mcp_type, connection_config, credential_reference,
                   status, tools_available, server_era, created_at, last_used, usage_count,
                   features_available
            FROM mcp_connections WHERE user_id = ? ORDER BY connection_name
            """, [.text(user)]
        ).map(connection)
    }

    private func connection(_ row: Row) throws(StoreError) -> ConnectionRow {
        guard let id = UUID(row.text(0)), let status = ConnectionRow.Status(rawValue: row.text(6))
        else {
            throw StoreError(
                .corrupt, verb: "read", file: database.file, step: "list-connections",
                cause: "the row of '\(row.text(2))' is not one that Corral wrote")
        }
        return ConnectionRow(
            id: id, user: row.text(1), name: row.text(2), card: row.text(3), settings: row.text(4),
            credentialReference: row.optionalText(5).flatMap(UUID.init), status: status,
            tools: row.text(7), features: row.optionalText(12), era: row.optionalText(8),
            createdAt: Timestamp(milliseconds: row.integer(9)),
            lastUsed: row.optionalInteger(10).map(Timestamp.init(milliseconds:)),
            usageCount: row.integer(11))
    }

    /// The credentials under a reference, by name.
    public func credentials(_ reference: UUID) throws(StoreError) -> [String: [UInt8]] {
        let rows = try database.run(
            "read", "read-credentials",
            "SELECT name, value FROM mcp_credentials WHERE reference = ?",
            [.text(reference.description)])
        return Dictionary(rows.map { ($0.text(0), $0.bytes(1)) }, uniquingKeysWith: { $1 })
    }

    /// Forgets a connection and its credentials; false when there is none.
    ///
    /// Usage rows stay. The log is folded into the file at once, so that the credentials' bytes are
    /// overwritten and not merely unreachable.
    public func remove(_ id: UUID) throws(StoreError) -> Bool {
        let step = "remove-connection"
        let removed = try database.transaction(step) { () throws(StoreError) in
            try database.run(
                "write", step, "DELETE FROM mcp_connections WHERE id = ?", [.text(id.description)])
            return database.changes > 0
        }
        if removed { try database.run("write", step, "PRAGMA wal_checkpoint(TRUNCATE)") }
        return removed
    }

    /// Notes whether the last start succeeded; false when there is no such connection.
    @discardableResult
    public func setStatus(
        _ status: ConnectionRow.Status, of id: UUID
    ) throws(StoreError) -> Bool {
        try database.run(
            "write", "set-status", "UPDATE mcp_connections SET status = ? WHERE id = ?",
            [.text(status.rawValue), .text(id.description)])
        return database.changes > 0
    }

    /// Keeps fresh lists (JSON as text) and the era they were got in; false when there is no such
    /// connection.
    @discardableResult
    public func setTools(
        _ tools: String, features: String? = nil, era: String?, of id: UUID
    ) throws(StoreError) -> Bool {
        try database.run(
            "write", "set-tools",
            """
            UPDATE mcp_connections
            SET tools_available = ?, features_available = ?, server_era = ? WHERE id = ?
            """,
            [.text(tools), .optional(features), .optional(era), .text(id.description)])
        return database.changes > 0
    }
}
