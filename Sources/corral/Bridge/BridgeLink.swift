internal import Control
internal import Kernel

/// A connection to the daemon that is ready to carry a host's bytes.
struct BridgeLink: ~Copyable {
    /// The socket.
    let server: Descriptor
    /// What the daemon has sent beyond its answer.
    let unread: [UInt8]

    /// Connects and, for one connection only, has the daemon restrict what it offers.
    init(path: String, connection: String?) throws(CommandFailure) {
        let client = try ControlClient(path: path)
        if let connection {
            _ = try client.request(
                SessionRestrict.self, .init(connection: connection),
                doing: "offer '\(connection)'", waiting: .init(deadline: Limit.greeting))
        }
        do throws(KernelError) {
            server = try client.duplicate()
        } catch {
            throw CommandFailure(.failed, "cannot bridge: \(error)")
        }
        unread = client.unread
    }
}
