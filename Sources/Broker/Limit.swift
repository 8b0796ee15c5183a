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
    /// Requests of the broker's to one client that have no answer yet.
    static let asksPerClient = 64
    /// How often one call may be sent because its server asks before it answers.
    static let rounds = 10
    /// Failures of one connection's server in a row before it is not started for a while.
    static let failuresToOpen = 5
    /// How long a start waits after the second failure in a row; four times as long after each
    /// more.
    static let firstBackoff = TimeAmount.milliseconds(100)
    /// How long a server is not started that has failed too often.
    static let openCircuit = TimeAmount.seconds(60)
    /// Beginnings of answers that were too large, of one user.
    static let keptOutputsPerUser = 8
    /// The most bytes of one of them.
    static let keptHeadBytes = 1 << 20
    /// Bytes of all of them.
    static let keptOutputBytes = 64 << 20
    /// How long they are kept.
    static let keptTime = TimeAmount.minutes(10)
    /// The longest URI of a piece of one.
    static let keptURIBytes = 128
    /// How much of one a client reads at a time: less than any policy's `response`.
    static let pieceBytes = 32 << 10
    /// `subscriptions/listen` requests of one client.
    static let listensPerClient = 64
    /// How long changes are gathered before a client is told of them together.
    static let noticeDelay = TimeAmount.milliseconds(100)
    /// How often a client hears of one call's progress.
    static let progressInterval = TimeAmount.milliseconds(50)
    /// Notifications that are taken from one server in a second; it is read no faster.
    static let noticesPerSecond = 1_000
    /// Notifications that one server may send at once.
    static let noticeBurst = 2_000
    /// How long a list that has changed is not asked for again.
    static let relistDelay = TimeAmount.seconds(1)
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
    /// How long a server may take to end after its input has, and again after SIGTERM.
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
    /// The longest event of the gateway's: a name, an entry and a place in a file.
    static let egressEventBytes = 16 << 10
    /// The longest name in one; longer is no DNS name.
    static let egressNameBytes = 255
    /// Events that are read in one turn of the loop, which has others to serve.
    static let egressTurn = 256
    /// Events that are read before a call ends: more than the socket's queue can hold (each takes
    /// 768 bytes or more of at most 425,984), so that all that was told before is read, however
    /// fast more comes.
    static let egressDrain = 1_024
    /// Events that are read at once before it is thought that the socket was full, and the gateway
    /// holds back others: fewer than it can hold of the longest that a tool can cause.
    static let egressCongestion = 64
    /// Notices that wait for a gateway that does not read.
    static let egressNotices = 4_096
    /// How long they wait between two tries.
    static let egressRetry = TimeAmount.milliseconds(5)
    /// Refusals that are told with one call.
    static let denialsPerCall = 8
    /// Connections through the gateway that are known to be open.
    static let openConnections = 65_536
    /// Open connections that one answer lists.
    static let openConnectionsShown = 1_000
    /// How long the gateway may take to say what open connections have carried.
    static let egressPatience = TimeAmount.milliseconds(500)
    /// Decisions of one sandbox that are kept in a second, on average and at once.
    static let decisionsPerSecond = 50
    static let decisionsAtOnce = 1_000
    /// Refusals that are logged in a second, on average and at once.
    static let denialLinesPerSecond = 20
    static let denialLinesAtOnce = 200
    /// Sandboxes whose decisions are bounded by themselves.
    static let networkSandboxes = 4_096
    /// Different decisions of one sandbox that are told apart until the next call.
    static let decisionKinds = 64
    /// Changes of the network's ledger that wait to be recorded.
    static let networkChanges = 20_000
    /// How long they are gathered.
    static let networkDelay = TimeAmount.milliseconds(50)
    /// How long a request waits for news of the network; clients ask again.
    static let networkPatience = TimeAmount.seconds(20)
    /// Decisions that an ambiguous id names at most.
    static let ambiguousIDs = 6
    /// The longest id of a decision.
    static let decisionIDBytes = 16
    /// How long the supervisor may take to read its files anew.
    static let reloadPatience = TimeAmount.seconds(60)
}
