internal import Control
internal import JSONRPC
internal import NIOCore

/// One `corral/connections/register` on its way: nothing of it is seen before its end, and nothing
/// of it is left when it fails.
final class Registration {
    let client: Client
    let request: ControlRequest
    let connection: ManagedConnection
    /// Whether the client does not want it any more.
    var isCancelled = false
    /// Ends an installation that takes too long.
    var timer: Scheduled<Void>?
    private var progress = 0

    init(_ client: Client, _ request: ControlRequest, _ connection: ManagedConnection) {
        self.client = client
        self.request = request
        self.connection = connection
    }

    /// Writes the next notification of progress, when the client asked for any.
    func report(_ text: String) {
        guard let token = request.token, client.context != nil else { return }
        client.out.notification(
            "notifications/progress",
            [
                "progressToken": token.json, "progress": .integer(progress),
                "total": .integer(Registration.steps), "message": .string(text),
            ])
        progress += 1
    }

    /// Installing, starting, storing, done.
    private static let steps = 3
}
