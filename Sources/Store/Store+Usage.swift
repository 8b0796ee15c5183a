extension Store {
    /// Records finished calls in one transaction, and their connections' `last_used` and
    /// `usage_count` with them.
    ///
    /// A row whose id is there already is passed over, so that a journal may be replayed.
    public func recordUsage(_ rows: [UsageRow]) throws(StoreError) {
        let step = "record-usage"
        try database.transaction(step) { () throws(StoreError) in
            for row in rows where try insert(row, step) {
                try database.run(
                    "write", step,
                    """
                    UPDATE mcp_connections
                    SET usage_count = usage_count + 1, last_used = max(coalesce(last_used, 0), ?)
                    WHERE id = ?
                    """,
                    [.integer(row.executedAt.milliseconds), .text(row.connection.description)])
            }
        }
    }

    /// Inserts one row; false when it is there already.
    private func insert(_ row: UsageRow, _ step: String) throws(StoreError) -> Bool {
        try database.run(
            "write", step,
            """
            INSERT INTO mcp_tool_usage
                (id, connection_id, agent_id, tool_name, execution_time_ms, success, error_details,
                 tokens_saved, executed_at, cpu_time_us, memory_peak_bytes, memory_peak_since,
                 bytes_in, bytes_out, shared)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO NOTHING
            """,
            [
                .text(row.id.description), .text(row.connection.description),
                .optional(row.agent), .text(row.tool), .real(row.duration / .milliseconds(1)),
                .flag(row.success), .optional(row.error), .integer(row.tokensSaved),
                .integer(row.executedAt.milliseconds),
                .optional(row.figures?.cpuMicroseconds),
                .optional(row.figures?.memoryPeakBytes), .optional(row.figures?.memoryPeakSince),
                .optional(row.figures?.bytesIn), .optional(row.figures?.bytesOut),
                row.figures.map { .flag($0.isShared) } ?? .null,
            ])
        return database.changes > 0
    }

    /// What the newest calls of a connection used, the newest first; nil for one without figures.
    public func figures(
        of connection: UUID, newest count: Int
    ) throws(StoreError) -> [UsageRow.Figures?] {
        try database.run(
            "read", "usage-figures",
            """
            SELECT cpu_time_us, memory_peak_bytes, memory_peak_since, bytes_in, bytes_out, shared
            FROM mcp_tool_usage WHERE connection_id = ? ORDER BY executed_at DESC, rowid DESC
            LIMIT ?
            """,
            [.text(connection.description), .integer(count)]
        ).map { row in
            guard let input = row.optionalInteger(3), let output = row.optionalInteger(4) else {
                return nil
            }
            return UsageRow.Figures(
                cpuMicroseconds: row.optionalInteger(0), memoryPeakBytes: row.optionalInteger(1),
                memoryPeakSince: row.optionalText(2), bytesIn: input, bytesOut: output,
                isShared: row.integer(5) == 1)
        }
    }

    /// How often each tool was called, the most called first.
    public func usageCounts() throws(StoreError) -> [UsageCount] {
        try database.run(
            "read", "count-usage",
            """
            SELECT connection_id, tool_name, count(*), count(*) - sum(success)
            FROM mcp_tool_usage GROUP BY connection_id, tool_name
            ORDER BY count(*) DESC, connection_id, tool_name
            """
        ).compactMap { row in
            UUID(row.text(0)).map {
                UsageCount(
                    connection: $0, tool: row.text(1), calls: row.integer(2),
                    failures: row.integer(3))
            }
        }
    }
}
