public import JSONRPC

/// `corral/status`: how the daemon is.
public enum DaemonStatus: ControlMethod {
    /// The method's name.
    public static let method = "corral/status"
    /// Nothing is asked.
    public typealias Params = Empty

    /// The daemon's figures; counts are over all users.
    public struct Result: ControlValue {
        /// The daemon's version.
        public var version: String
        /// Seconds since the broker started.
        public var uptimeSeconds: Int
        /// Clients on the control socket, the one that asks included.
        public var clients: Int
        /// Sandboxes running.
        public var sandboxes: Int
        /// Connections registered.
        public var connections: Int

        /// Makes an answer.
        public init(
            version: String, uptimeSeconds: Int, clients: Int, sandboxes: Int, connections: Int
        ) {
            self.version = version
            self.uptimeSeconds = uptimeSeconds
            self.clients = clients
            self.sandboxes = sandboxes
            self.connections = connections
        }

        /// Reads an answer.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "result")
            self.init(
                version: try fields.string("version"),
                uptimeSeconds: try fields.integer("uptimeSeconds"),
                clients: try fields.integer("clients"),
                sandboxes: try fields.integer("sandboxes"),
                connections: try fields.integer("connections"))
        }

        /// The answer as it is sent.
        public var json: JSON {
            [
                "version": .string(version), "uptimeSeconds": .integer(uptimeSeconds),
                "clients": .integer(clients), "sandboxes": .integer(sandboxes),
                "connections": .integer(connections),
            ]
        }
    }
}
