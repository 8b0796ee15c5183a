internal import Control
internal import MCP
internal import NIOCore

/// One server's way from being asked for to being ready; a process that exits on the probe is
/// replaced on the way.
final class ServerStart {
    let connection: ManagedConnection
    /// Whether what it offers is listed before it is ready.
    let lists: Bool
    /// How the era is found out; a verdict that was kept may turn out to be old.
    var mode: ServerFace.Mode
    /// The request that the supervisor has not answered yet.
    var request: UInt64?
    /// The process, once it runs.
    var server: Server?
    /// Ends the start when it takes too long.
    var timer: Scheduled<Void>?
    /// What the start has come to, for progress and for who tests it.
    var step = Step.start
    /// Who waits for the end, whichever it is.
    var waiters: [(Result<Offer?, Failure>) -> Void] = []
    let began = NIODeadline.now()
    /// When the process ran.
    var ran: NIODeadline?

    /// The steps by the names that errors and tests show.
    enum Step: String {
        case start
        case handshake
        case listTools = "list tools"
    }

    init(_ connection: ManagedConnection, _ mode: ServerFace.Mode, lists: Bool) {
        self.connection = connection
        self.mode = mode
        self.lists = lists
    }
}
