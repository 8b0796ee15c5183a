/// The broker's memory in one SQLite file: connections, credentials, usage, an index of run cards.
///
/// Every change is on disk, synced, when the function that makes it returns. The store is
/// synchronous and belongs to the one thread that made it.
public final class Store {
    let database: Database
    /// Decisions about the network that came since the last look for what need not be kept.
    var networkGrowth = Limit.networkGrowth

    /// Opens the file at `path`, creating it with mode 0600, and brings it to the newest schema.
    public convenience init(path: String) throws(StoreError) {
        try self.init(path: path, migrations: Migration.all)
    }

    /// Opens the file with the schema that the first of Corral's migrations make.
    init(path: String, migrations: [Migration]) throws(StoreError) {
        database = try Database(path: path)
        try database.execute(
            """
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            PRAGMA foreign_keys = ON;
            PRAGMA secure_delete = ON;
            PRAGMA journal_size_limit = \(Limit.journalBytes);
            """, verb: "open", step: "settings")
        try checkJournal(path)
        try migrate(path, migrations)
    }

    /// SQLite answers with the mode that holds instead of an error when it cannot have WAL.
    private func checkJournal(_ path: String) throws(StoreError) {
        let mode = try database.run("open", "settings", "PRAGMA journal_mode").first?.text(0)
        guard mode == "wal" else {
            throw StoreError(
                .failed, verb: "open", file: path, step: "settings",
                cause: "the file system cannot carry a write-ahead log")
        }
    }

    private func migrate(_ path: String, _ migrations: [Migration]) throws(StoreError) {
        let version = try version("open")
        guard version <= migrations.count else {
            throw StoreError(
                .newer, verb: "open", file: path, step: "migrate",
                cause: "its version is \(version), this program knows \(migrations.count)")
        }
        for (index, migration) in migrations.enumerated().dropFirst(version) {
            let step = "migrate to \(migration.name)"
            try database.transaction(step) { () throws(StoreError) in
                // Another process may have taken the step while this one waited for the lock.
                guard try self.version("open") == index else { return }
                try database.execute(migration.sql, verb: "open", step: step)
                try database.execute(
                    "PRAGMA user_version = \(index + 1)", verb: "open", step: step)
            }
        }
    }

    private func version(_ verb: String) throws(StoreError) -> Int {
        try database.run(verb, "version", "PRAGMA user_version").first?.integer(0) ?? 0
    }
}
