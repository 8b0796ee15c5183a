import Testing

@testable import Store

@Suite struct MigrationTests {
    private let folder = Folder()

    /// The whole schema as SQLite keeps it.
    private func schema(_ store: Store) throws -> [String] {
        try store.database.run(
            "read", "schema",
            "SELECT name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY name"
        ).map { $0.text(0) }
    }

    private func version(_ store: Store) throws -> Int? {
        try store.database.run("read", "version", "PRAGMA user_version").first?.integer(0)
    }

    @Test(arguments: 0...Migration.all.count)
    func `a file of any version comes to the newest with its rows`(from count: Int) throws {
        let old = try Store(path: folder.file, migrations: Array(Migration.all.prefix(count)))
        #expect(try version(old) == count)
        if count > 0 {
            try old.database.execute(
                """
                INSERT INTO mcp_connections (id, user_id, connection_name, mcp_type,
                    connection_config, credential_reference, status, tools_available, server_era,
                    created_at, last_used, usage_count)
                VALUES ('\(UUID())', '1', 'a', 'time', '{}', NULL,
                    'ready', '[]', NULL, 1, NULL, 0)
                """, verb: "write", step: "test")
        }
        let new = try Store(path: folder.file)
        let fresh = Folder()
        #expect(try version(new) == Migration.all.count)
        #expect(try schema(new) == schema(try Store(path: fresh.file)))
        #expect(try new.connections().map(\.name) == (count > 0 ? ["a"] : []))
    }

    @Test func `every table is STRICT`() throws {
        let store = try Store(path: folder.file)
        let tables = try store.database.run(
            "read", "schema",
            "SELECT name, strict FROM pragma_table_list WHERE name LIKE 'mcp_%'")
        #expect(tables.count == 6)
        #expect(tables.allSatisfy { $0.integer(1) == 1 })
    }

    @Test func `the settings that durability rests on hold`() throws {
        let store = try Store(path: folder.file)
        func setting(_ sql: StaticString) throws -> Row? {
            try store.database.run("read", "setting", sql).first
        }
        #expect(try setting("PRAGMA journal_mode")?.text(0) == "wal")
        #expect(try setting("PRAGMA synchronous")?.integer(0) == 2)
        #expect(try setting("PRAGMA foreign_keys")?.integer(0) == 1)
        #expect(try setting("PRAGMA secure_delete")?.integer(0) == 1)
        #expect(try setting("PRAGMA busy_timeout")?.integer(0) == 5000)
    }

    @Test func `a file of a newer version is refused and left as it is`() throws {
        try Store(path: folder.file).database.execute(
            "PRAGMA user_version = 99", verb: "write", step: "test")
        let error = #expect(throws: StoreError.self) { try Store(path: folder.file) }
        #expect(error?.code == .newer)
        #expect(
            error?.description
                == "cannot open '\(folder.file)': migrate: its version is 99, this program knows 7 "
                + "(install the newer version again, or restore an older copy)")
    }

    @Test func `a step that fails leaves the version before it`() throws {
        let broken = Migration(name: "broken", sql: "CREATE TABLE mcp_half (a); nonsense;")
        #expect(throws: StoreError.self) {
            try Store(path: folder.file, migrations: Migration.all + [broken])
        }
        let store = try Store(path: folder.file)
        #expect(try version(store) == Migration.all.count)
        #expect(try !schema(store).contains { $0.hasPrefix("mcp_half") })
    }
}
