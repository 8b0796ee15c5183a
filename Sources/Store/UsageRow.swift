/// One finished call as the ledger keeps it: a row of `mcp_tool_usage`.
public struct UsageRow: Sendable, Equatable {
    /// The call's identity; a row that is recorded twice is kept once.
    public var id: UUID
    /// The connection it went to.
    public var connection: UUID
    /// What the caller named itself; recorded, never trusted.
    public var agent: String?
    /// The tool's own name, without the connection's.
    public var tool: String
    /// From the request's arrival to its answer.
    public var duration: Duration
    /// Whether it was answered with a result that is no error.
    public var success: Bool
    /// Why not, a JSON object as text; nil when it succeeded.
    public var error: String?
    /// Tokens that a caller was spared.
    public var tokensSaved: Int
    /// When it was answered.
    public var executedAt: Timestamp
    /// What it used, as far as it was counted; nil for a call that no server got.
    public var figures: Figures?

    /// What the sandbox used while a call ran.
    public struct Figures: Sendable, Equatable {
        /// CPU time; nil where it is not counted.
        public var cpuMicroseconds: Int?
        /// The most memory held at once; nil where it is not counted.
        public var memoryPeakBytes: Int?
        /// Since when that is the most: `call`, `overlap` or `start`.
        public var memoryPeakSince: String?
        /// Bytes that the server got.
        public var bytesIn: Int
        /// Bytes that it answered with.
        public var bytesOut: Int
        /// Whether other calls of the same server ran meanwhile.
        public var isShared: Bool

        /// States what was counted.
        public init(
            cpuMicroseconds: Int? = nil, memoryPeakBytes: Int? = nil,
            memoryPeakSince: String? = nil, bytesIn: Int, bytesOut: Int, isShared: Bool
        ) {
            self.cpuMicroseconds = cpuMicroseconds
            self.memoryPeakBytes = memoryPeakBytes
            self.memoryPeakSince = memoryPeakSince
            self.bytesIn = bytesIn
            self.bytesOut = bytesOut
            self.isShared = isShared
        }
    }

    /// Makes a row.
    public init(
        id: UUID = UUID(), connection: UUID, agent: String? = nil, tool: String,
        duration: Duration, success: Bool, error: String? = nil, tokensSaved: Int = 0,
        executedAt: Timestamp = .now(), figures: Figures? = nil
    ) {
        self.id = id
        self.connection = connection
        self.agent = agent
        self.tool = tool
        self.duration = duration
        self.success = success
        self.error = error
        self.tokensSaved = tokensSaved
        self.executedAt = executedAt
        self.figures = figures
    }
}

/// How often a tool was called.
public struct UsageCount: Sendable, Equatable {
    /// The connection.
    public var connection: UUID
    /// The tool's own name.
    public var tool: String
    /// Calls in all.
    public var calls: Int
    /// Calls that failed.
    public var failures: Int

    /// Makes a count.
    public init(connection: UUID, tool: String, calls: Int, failures: Int) {
        self.connection = connection
        self.tool = tool
        self.calls = calls
        self.failures = failures
    }
}
