public import JSONRPC

/// `corral/connections/list`: all connections of the caller, by name.
public enum ConnectionsList: ControlMethod {
    /// The method's name.
    public static let method = "corral/connections/list"
    /// Nothing is asked.
    public typealias Params = Empty

    /// The caller's connections.
    public struct Result: ControlValue {
        /// The connections, sorted by name.
        public var connections: [Connection]

        /// Makes an answer.
        public init(connections: [Connection]) {
            self.connections = connections
        }

        /// Reads an answer.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "result")
            connections = try fields.values("connections", as: Connection.self)
        }

        /// The answer as it is sent.
        public var json: JSON { ["connections": .array(connections.map(\.json))] }
    }
}

/// `corral/connections/get`: one connection of the caller.
public enum ConnectionsGet: ControlMethod {
    /// The method's name.
    public static let method = "corral/connections/get"
    /// Which connection.
    public typealias Params = NameParams
    /// The connection.
    public typealias Result = Connection
}

/// `corral/connections/remove`: stops the server and forgets connection and credentials.
public enum ConnectionsRemove: ControlMethod {
    /// The method's name.
    public static let method = "corral/connections/remove"
    /// Which connection.
    public typealias Params = NameParams
    /// Nothing is left to tell.
    public typealias Result = Empty
}

/// `corral/connections/restart`: stops the server and starts it again.
public enum ConnectionsRestart: ControlMethod {
    /// The method's name.
    public static let method = "corral/connections/restart"
    /// Which connection.
    public typealias Params = NameParams
    /// The connection as it now is.
    public typealias Result = Connection
}
