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
    static let all = [
        connections, toolUsage, runCards, credentials, accounting, features, network,
    ]

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

    /// Rows outlive their connection and their call, so neither is a foreign key.
    private static let network = Migration(
        name: "network",
        sql: """
            CREATE TABLE mcp_network (
                number INTEGER PRIMARY KEY NOT NULL,
                id TEXT NOT NULL UNIQUE,
                changed INTEGER NOT NULL,  -- rises with every change of any row
                decided_at INTEGER NOT NULL,
                user_id TEXT NOT NULL,  -- the uid in decimal; empty: not known
                origin TEXT NOT NULL CHECK (origin IN ('connection', 'run', 'install')),
                subject TEXT NOT NULL,  -- the name of the connection, command or card
                connection_id TEXT CHECK (length(connection_id) = 36),
                policy TEXT NOT NULL,
                sandbox INTEGER NOT NULL,
                call_id TEXT CHECK (length(call_id) = 36),  -- of mcp_tool_usage
                calls INTEGER NOT NULL,  -- in flight when it was decided
                tool_names TEXT NOT NULL,
                kind TEXT NOT NULL CHECK (kind IN ('connect', 'resolve')),
                host_name TEXT NOT NULL,
                address TEXT NOT NULL,
                port INTEGER NOT NULL CHECK (port BETWEEN 0 AND 65535),
                reason TEXT,  -- NULL: allowed
                address_set TEXT,
                rule TEXT NOT NULL,
                place TEXT NOT NULL,  -- FILE:LINE
                repeats INTEGER NOT NULL DEFAULT 1,
                bytes_sent INTEGER,  -- NULL: open, or no connection
                bytes_received INTEGER,
                duration_us INTEGER,
                ended_by TEXT,
                ended_errno INTEGER
            ) STRICT;
            CREATE INDEX mcp_network_by_user ON mcp_network (user_id, number);
            CREATE INDEX mcp_network_by_change ON mcp_network (changed);
            CREATE TABLE mcp_network_days (
                owner TEXT NOT NULL,
                day INTEGER NOT NULL,  -- since 1970, UTC
                bytes INTEGER NOT NULL,
                PRIMARY KEY (owner, day)
            ) STRICT, WITHOUT ROWID;
            """)
}
