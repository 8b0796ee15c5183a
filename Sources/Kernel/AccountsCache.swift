/// The users and groups of this host, read again only when their files have changed: a start has no
/// time for reading them.
public struct AccountsCache {
    private struct Version: Equatable {
        let passwd: FileStatus
        let group: FileStatus
    }

    /// Which reading of the files is the current one: another number, other accounts.
    public private(set) var reading = 0
    private var cached: (version: Version, accounts: Accounts)?

    /// Starts with nothing read.
    public init() {}

    /// What the files say now.
    public mutating func current() throws(KernelError) -> Accounts {
        // Looked at before reading: a change in between is seen the next time.
        let version = Version(
            passwd: try Files.statusBehindLinks("/etc/passwd"),
            group: try Files.statusBehindLinks("/etc/group"))
        if let cached, cached.version == version { return cached.accounts }
        let accounts = try Accounts()
        cached = (version, accounts)
        reading += 1
        return accounts
    }
}
