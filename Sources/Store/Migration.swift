/// One step from a version of the schema to the next; the list only ever grows at its end.
struct Migration {
    /// What the step does, for errors.
    let name: String
    /// The statements, which run in one transaction together with the new `user_version`.
    let sql: String

    /// The steps in order: step n leads to version n + 1.
    ///
    /// Types are chosen so that PostgreSQL can carry the same columns: UUIDs are TEXT of 36
    /// characters (UUID there), JSON is TEXT that SQLite has checked (JSONB), instants are INTEGER
    /// milliseconds of UTC (BIGINT), truth values are 0 and 1 (BOOLEAN).
    static let all = [connections, toolUsage, runCards, credentials, accounting, features]

    private static let connections = Migration(
        name: "connections",
        sql: """
            CREATE TABLE mcp_connections (
                id TEXT PRIMARY KEY NOT NULL CHECK (length(id) = 36),
                user_id TEXT NOT NULL,  -- the uid in decimal
                connection_name TEXT NOT NULL,
                mcp_type TEXT NOT NULL,  -- the run card's name
                connection_config TEXT NOT NULL CHECK (json_valid(connection_config)),
                credential_reference TEXT UNIQUE CHECK (length(credential_reference) = 36),
                status TEXT NOT NULL CHECK (status IN ('ready', 'failed')),
                tools_available TEXT NOT NULL CHECK (json_valid(tools_available)),
                server_era TEXT CHECK (server_era IN ('modern', 'legacy')),  -- NULL: not known
                created_at INTEGER NOT NULL,
                last_used INTEGER,
                usage_count INTEGER NOT NULL DEFAULT 0,
                UNIQUE (user_id, connection_name)
            ) STRICT;
            """)

    /// Rows outlive their connection, so `connection_id` is no foreign key.
    private static let toolUsage = Migration(
        name: "tool usage",
        sql: """
            CREATE TABLE mcp_tool_usage (
                id TEXT PRIMARY KEY NOT NULL CHECK (length(id) = 36),
                connection_id TEXT NOT NULL,
                agent_id TEXT,
                tool_name TEXT NOT NULL,
                execution_time_ms REAL NOT NULL,
                success INTEGER NOT NULL CHECK (success IN (0, 1)),
                error_details TEXT CHECK (error_details IS NULL OR json_valid(error_details)),
                tokens_saved INTEGER NOT NULL DEFAULT 0,
                executed_at INTEGER NOT NULL
            ) STRICT;
            CREATE INDEX mcp_tool_usage_by_connection
                ON mcp_tool_usage (connection_id, executed_at);
            """)

    private static let runCards = Migration(
        name: "run cards",
        sql: """
            CREATE TABLE mcp_run_cards (
                card_name TEXT PRIMARY KEY NOT NULL,
                mcp_type TEXT NOT NULL,
                description TEXT NOT NULL,
                config_template TEXT NOT NULL CHECK (json_valid(config_template)),
                required_credentials TEXT NOT NULL CHECK (json_valid(required_credentials)),
                available_tools TEXT NOT NULL CHECK (json_valid(available_tools)),
                popularity_score INTEGER NOT NULL DEFAULT 0,
                created_by TEXT NOT NULL,
                is_public INTEGER NOT NULL CHECK (is_public IN (0, 1))
            ) STRICT;
            """)

    /// Values lie here in the clear, in a file of mode 0600 in the broker's own directory of mode
    /// 0700, until the credential store encrypts them; deleted ones are overwritten.
    private static let credentials = Migration(
        name: "credentials",
        sql: """
            CREATE TABLE mcp_credentials (
                reference TEXT NOT NULL
                    REFERENCES mcp_connections (credential_reference) ON DELETE CASCADE,
                name TEXT NOT NULL,
                value BLOB NOT NULL,
                PRIMARY KEY (reference, name)
            ) STRICT, WITHOUT ROWID;
            """)

    /// NULL is a server that was never asked what it offers beside its tools.
    private static let features = Migration(
        name: "features",
        sql: """
            ALTER TABLE mcp_connections ADD COLUMN features_available TEXT
                CHECK (features_available IS NULL OR json_valid(features_available));
            """)

    /// NULL is what was not counted, which is not 0.
    private static let accounting = Migration(
        name: "accounting",
        sql: """
            ALTER TABLE mcp_tool_usage ADD COLUMN cpu_time_us INTEGER;
            ALTER TABLE mcp_tool_usage ADD COLUMN memory_peak_bytes INTEGER;
            ALTER TABLE mcp_tool_usage ADD COLUMN memory_peak_since TEXT
                CHECK (memory_peak_since IN ('call', 'overlap', 'start'));
            ALTER TABLE mcp_tool_usage ADD COLUMN bytes_in INTEGER;
            ALTER TABLE mcp_tool_usage ADD COLUMN bytes_out INTEGER;
            ALTER TABLE mcp_tool_usage ADD COLUMN shared INTEGER CHECK (shared IN (0, 1));
            """)
}
