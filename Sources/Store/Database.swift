internal import CSQLite
internal import Glibc

/// One open SQLite file with its prepared statements; used by one thread at a time.
@safe final class Database {
    private let handle: OpaquePointer
    /// The path it was opened by, for errors.
    let file: String
    /// Prepared statements by their text, which is always a literal: the table cannot outgrow the
    /// source.
    private var statements: [String: Statement] = [:]

    /// Opens the file, creating it with mode 0600; refuses one that others may read.
    init(path: String) throws(StoreError) {
        try Self.create(path)
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        // `opened` is set even when opening fails, and is then closed below.
        let code = unsafe sqlite3_open_v2(path, &opened, flags, nil)
        guard let opened = unsafe opened else {
            throw StoreError(
                .failed, verb: "open", file: path, step: "open", cause: "no memory for a database")
        }
        unsafe self.handle = opened
        self.file = path
        guard code == SQLITE_OK else { throw error(code, verb: "open", step: "open") }
        unsafe sqlite3_busy_timeout(handle, Limit.busyMilliseconds)
        unsafe sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Limit.valueBytes)
    }

    deinit {
        statements.removeAll()
        // The handle is this object's own; close_v2 waits for nothing.
        unsafe sqlite3_close_v2(handle)
    }

    /// Creates the file so that it is never, not even for an instant, readable by others; SQLite
    /// gives its journal files the same mode.
    private static func create(_ path: String) throws(StoreError) {
        let fd = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard fd >= 0 else {
            let code: StoreError.Code =
                switch errno {
                case EROFS, EACCES, EPERM: .readOnly
                case ENOSPC, EDQUOT: .full
                default: .unavailable
                }
            throw StoreError(
                code, verb: "open", file: path, step: "create", cause: errorText(errno))
        }
        // Closing before SQLite opens the file: a later close would drop SQLite's POSIX locks.
        defer { close(fd) }
        var status = stat()
        guard unsafe fstat(fd, &status) == 0 else {
            throw StoreError(
                .unavailable, verb: "open", file: path, step: "stat", cause: errorText(errno))
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw StoreError(
                .exposed, verb: "open", file: path, step: "check-mode", cause: "its mode is \(mode)"
            )
        }
    }

    /// Runs a literal statement and returns its rows.
    @discardableResult
    func run(
        _ verb: String, _ step: String, _ sql: StaticString, _ values: [Value] = []
    ) throws(StoreError) -> [Row] {
        let statement = try prepared(sql.description, verb: verb, step: step)
        var rows: [Row] = []
        let code = statement.run(values, into: &rows)
        guard code == SQLITE_DONE else { throw error(code, verb: verb, step: step) }
        return rows
    }

    /// Runs several statements without values, for pragmas and migrations.
    func execute(_ sql: String, verb: String, step: String) throws(StoreError) {
        // The text is copied by the bridge for the length of the call; no callback is given.
        let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code, verb: verb, step: step) }
    }

    /// Runs `body` in one transaction: all of it is in the file, and synced, or none.
    func transaction<Answer>(
        _ step: String, _ body: () throws(StoreError) -> Answer
    ) throws(StoreError) -> Answer {
        try run("write", step, "BEGIN IMMEDIATE")
        do throws(StoreError) {
            let answer = try body()
            try run("write", step, "COMMIT")
            return answer
        } catch {
            // Some errors have rolled back already; the first error is the one to tell.
            if unsafe sqlite3_get_autocommit(handle) == 0 {
                try run("write", step, "ROLLBACK")
            }
            throw error
        }
    }

    /// Rows changed by the last INSERT, UPDATE or DELETE.
    var changes: Int { Int(unsafe sqlite3_changes64(handle)) }

    private func prepared(
        _ sql: String, verb: String, step: String
    ) throws(StoreError) -> Statement {
        if let statement = statements[sql] { return statement }
        var made: OpaquePointer?
        let code = unsafe sqlite3_prepare_v3(
            handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
        guard code == SQLITE_OK, let made = unsafe made else {
            throw error(code, verb: verb, step: step)
        }
        let statement = unsafe Statement(owning: made)
        statements[sql] = statement
        return statement
    }

    private func error(_ result: Int32, verb: String, step: String) -> StoreError {
        let code: StoreError.Code =
            switch result & 0xff {
            case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH: .readOnly
            case SQLITE_FULL: .full
            case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT: .corrupt
            case SQLITE_BUSY, SQLITE_LOCKED: .busy
            case SQLITE_CANTOPEN: .unavailable
            case SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG, SQLITE_RANGE: .invalid
            default: .failed
            }
        // SQLite's text belongs to the handle and is copied before anything else is asked of it.
        let cause = unsafe String(cString: sqlite3_errmsg(handle))
        return StoreError(code, verb: verb, file: file, step: step, cause: cause)
    }
}

/// The kernel's words for an error number.
private func errorText(_ number: Int32) -> String {
    // strerror gives a text that stays valid until the next call of this thread; it is copied.
    unsafe String(cString: strerror(number))
}
