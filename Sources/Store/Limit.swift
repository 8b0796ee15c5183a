/// What is refused or given up, and why that much.
enum Limit {
    /// How long a statement waits for another process's lock: an admin's `sqlite3` reading a copy.
    static let busyMilliseconds: Int32 = 5_000
    /// The largest value of one column: a tool listing is at most one line of the protocol, 10 MiB.
    static let valueBytes: Int32 = 16 << 20
    /// Bytes the write-ahead log keeps on disk after a checkpoint.
    static let journalBytes: Int = 8 << 20
    /// Decisions about the network that are kept of one user: a flood costs the one who sends it.
    static let networkRows = 20_000
    /// How long they are kept, in milliseconds: 30 days.
    static let networkAge = 30 * 24 * 3600 * 1000
    /// Rows after which it is looked for what need not be kept.
    static let networkGrowth = 1_000
}
