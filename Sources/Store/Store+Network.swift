extension Store {
    /// Notes what was decided and how connections ended, in one transaction; now and then forgets
    /// what is beyond `Limit.networkRows` of its user or older than `Limit.networkAge`.
    public func recordNetwork(_ changes: [NetworkChange]) throws(StoreError) {
        let step = "record-network"
        try database.transaction(step) { () throws(StoreError) in
            for change in changes { try record(change, step) }
        }
        guard networkGrowth >= Limit.networkGrowth else { return }
        networkGrowth = 0
        try forgetNetwork()
    }

    private func record(_ change: NetworkChange, _ step: String) throws(StoreError) {
        switch change {
        case .decided(let row):
            networkGrowth += 1
            try insert(row, step)
        case .repeated(let number, let changed, let count):
            try database.run(
                "write", step,
                "UPDATE mcp_network SET repeats = ?, changed = ? WHERE number = ?",
                [.integer(count), .integer(changed), .integer(number)])
        case .ended(let number, let changed, let ending):
            try database.run(
                "write", step,
                """
                UPDATE mcp_network SET bytes_sent = ?, bytes_received = ?, duration_us = ?,
                    ended_by = ?, ended_errno = ?, changed = ? WHERE number = ?
                """,
                [
                    .integer(ending.sent), .integer(ending.received),
                    .integer(ending.microseconds), .text(ending.cause), .integer(ending.errno),
                    .integer(changed), .integer(number),
                ])
        case .carried(let owner, let day, let bytes):
            try database.run(
                "write", step,
                """
                INSERT INTO mcp_network_days (owner, day, bytes) VALUES (?, ?, ?)
                ON CONFLICT (owner, day) DO UPDATE SET bytes = bytes + excluded.bytes
                """, [.text(owner), .integer(day), .integer(bytes)])
        }
    }

    private func insert(_ row: NetworkRow, _ step: String) throws(StoreError) {
        try database.run(
            "write", step,
            """
            INSERT INTO mcp_network
                (number, id, changed, decided_at, user_id, origin, subject, connection_id, policy,
                 sandbox, call_id, calls, tool_names, kind, host_name, address, port, reason,
                 address_set, rule, place, repeats, bytes_sent, bytes_received, duration_us,
                 ended_by, ended_errno)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(row.number), .text(row.id), .integer(row.changed),
                .integer(row.time.milliseconds), .text(row.user), .text(row.origin.rawValue),
                .text(row.subject), .optional(row.connection?.description), .text(row.policy),
                .integer(row.sandbox), .optional(row.call?.description), .integer(row.calls),
                .text(row.tools), .text(row.kind), .text(row.name), .text(row.address),
                .integer(row.port), .optional(row.reason), .optional(row.set), .text(row.rule),
                .text(row.place), .integer(row.count), .optional(row.ending?.sent),
                .optional(row.ending?.received), .optional(row.ending?.microseconds),
                .optional(row.ending?.cause), .optional(row.ending?.errno),
            ])
    }

    /// Forgets a user's oldest rows beyond the limit, and all that are too old; the last row stays,
    /// so that its number and id are not used again.
    func forgetNetwork() throws(StoreError) {
        let step = "forget-network"
        try database.transaction(step) { () throws(StoreError) in
            let users = try database.run(
                "read", step, "SELECT DISTINCT user_id FROM mcp_network")
            for user in users {
                try database.run(
                    "write", step,
                    """
                    DELETE FROM mcp_network WHERE user_id = ?1 AND number <=
                        (SELECT number FROM mcp_network WHERE user_id = ?1
                         ORDER BY number DESC LIMIT 1 OFFSET ?2)
                    """, [.text(user.text(0)), .integer(Limit.networkRows)])
            }
            try database.run(
                "write", step,
                """
                DELETE FROM mcp_network
                WHERE decided_at < (SELECT max(decided_at) FROM mcp_network) - ?
                    AND number < (SELECT max(number) FROM mcp_network)
                """, [.integer(Limit.networkAge)])
            try database.run(
                "write", step,
                "DELETE FROM mcp_network_days WHERE day < (SELECT max(day) FROM mcp_network_days)")
        }
    }

    /// The last number and the last change that were used; 0 when there are none.
    public func lastNetwork() throws(StoreError) -> (number: Int, changed: Int) {
        let row = try database.run(
            "read", "last-network",
            "SELECT coalesce(max(number), 0), coalesce(max(changed), 0) FROM mcp_network"
        ).first
        return (row?.integer(0) ?? 0, row?.integer(1) ?? 0)
    }

    /// What owners have used on a day, which is counted from 1970, UTC; bytes by owner.
    public func networkDay(_ day: Int) throws(StoreError) -> [String: Int] {
        let rows = try database.run(
            "read", "network-day", "SELECT owner, bytes FROM mcp_network_days WHERE day = ?",
            [.integer(day)])
        return Dictionary(rows.map { ($0.text(0), $0.integer(1)) }, uniquingKeysWith: +)
    }
}

extension Store {
    /// The decision of that id, else those whose id begins so, at most `count`; of one user, or of
    /// everybody for nil.
    public func network(
        id: String, user: String?, atMost count: Int
    ) throws(StoreError) -> [NetworkRow] {
        let rows = try database.run(
            "read", "read-network",
            """
            SELECT * FROM mcp_network
            WHERE id >= ?1 AND id < ?1 || 'g' AND (?2 IS NULL OR user_id = ?2)
            ORDER BY length(id), id LIMIT ?3
            """, [.text(id), .optional(user), .integer(count)]
        ).map(Self.networkRow)
        if let exact = rows.first, exact.id == id { return [exact] }
        return rows
    }

    /// The newest decisions of a user, or of everybody for nil, and of one connection if it is
    /// named; oldest first.
    public func network(
        user: String?, connection: UUID?, newest count: Int
    ) throws(StoreError) -> [NetworkRow] {
        try database.run(
            "read", "list-network",
            """
            SELECT * FROM mcp_network
            WHERE (?1 IS NULL OR user_id = ?1) AND (?2 IS NULL OR connection_id = ?2)
            ORDER BY number DESC LIMIT ?3
            """, [.optional(user), .optional(connection?.description), .integer(count)]
        ).map(Self.networkRow).reversed()
    }

    /// What is new since a change, oldest first.
    public func network(
        user: String?, connection: UUID?, after changed: Int, atMost count: Int
    ) throws(StoreError) -> [NetworkRow] {
        try database.run(
            "read", "follow-network",
            """
            SELECT * FROM mcp_network
            WHERE changed > ?1 AND (?2 IS NULL OR user_id = ?2)
                AND (?3 IS NULL OR connection_id = ?3)
            ORDER BY changed LIMIT ?4
            """,
            [
                .integer(changed), .optional(user), .optional(connection?.description),
                .integer(count),
            ]
        ).map(Self.networkRow)
    }

    /// Reads a row of `SELECT *`, whose columns stand in the order of the schema.
    private static func networkRow(_ row: Row) -> NetworkRow {
        NetworkRow(
            number: row.integer(0), id: row.text(1), changed: row.integer(2),
            time: Timestamp(milliseconds: row.integer(3)), user: row.text(4),
            origin: NetworkRow.Origin(rawValue: row.text(5)) ?? .connection, subject: row.text(6),
            connection: row.optionalText(7).flatMap(UUID.init), policy: row.text(8),
            sandbox: row.integer(9), call: row.optionalText(10).flatMap(UUID.init),
            calls: row.integer(11), tools: row.text(12), kind: row.text(13), name: row.text(14),
            address: row.text(15), port: row.integer(16), reason: row.optionalText(17),
            set: row.optionalText(18), rule: row.text(19), place: row.text(20),
            count: row.integer(21),
            ending: row.optionalText(25).map { cause in
                NetworkEnding(
                    sent: row.integer(22), received: row.integer(23),
                    microseconds: row.integer(24), cause: cause, errno: row.integer(26))
            })
    }
}
