internal import NIOCore

/// What the broker refuses, waits for and keeps, and why that much.
enum Limit {
    /// Clients at once: every user's shells and hosts, with room; the descriptors of a process.
    static let clients = 1_024
    /// Calls in flight at one server.
    static let callsPerServer = 128
    /// Calls that wait for one server to start.
    static let waitingCalls = 128
    /// Bytes of the calls that wait for one server to start.
    static let waitingBytes = 16 << 20
    /// Commands of one user that run or are about to: of the supervisor's 1,024 sandboxes.
    static let runsPerUser = 128
    /// Bytes that wait for a client until it has taken descriptors.
    static let heldBytes = 16 << 20
    /// Connections of one user.
    static let connectionsPerUser = 1_000
    /// The longest name of a connection; a tool's needs room beside it.
    static let connectionNameBytes = 32
    /// Bytes that wait for a client that does not read, before what feeds it is no longer read.
    static let clientQueueBytes = 1 << 20
    /// Bytes that wait for a server that does not read, before its callers are no longer read.
    static let serverQueueBytes = 1 << 20
    /// What one read takes at most.
    static let readBytes = 64 << 10
    /// Lines of a server's log that are kept.
    static let logLines = 2_000
    /// Bytes of a server's log that are kept.
    static let logBytes = 256 << 10
    /// The longest line of a log; the rest of it is dropped.
    static let logLineBytes = 4 << 10
    /// Lines of the log that go with an error.
    static let errorLogLines = 12
    /// How long a request waits for lines of a log that are not written yet; clients ask again.
    static let logPatience = TimeAmount.seconds(20)
    /// Requests to the supervisor that have no answer yet.
    static let supervisorRequests = 4_096
    /// Finished calls that wait to be recorded.
    static let usageRows = 10_000
    /// How long finished calls are gathered before they are recorded together.
    static let usageDelay = TimeAmount.milliseconds(50)
    /// How long a server may take to answer the ping that follows a missed deadline.
    static let pingGrace = TimeAmount.seconds(2)
    /// How long the end of a process may lag behind the end of its output, and the reverse.
    static let exitGrace = TimeAmount.seconds(2)
    /// How long a server may take to end after its input has.
    static let stopGrace = TimeAmount.seconds(2)
    /// How long the last lines of an installation are waited for.
    static let logGrace = TimeAmount.milliseconds(100)
    /// How long a failed call may wait for the figures that tell why.
    static let usageGrace = TimeAmount.milliseconds(500)
    /// How long calls in flight are waited for when the broker stops.
    static let drain = TimeAmount.seconds(5)
    /// The largest file of users or groups that is read.
    static let accountBytes = 4 << 20
    /// How much of a cause that somebody else wrote is repeated in a message.
    static let quotedBytes = 512
    /// Clients that have connected and wait to be accepted, while the loop is busy or starts.
    static let backlog: Int32 = 1_024
}
