public import JSONRPC

/// `corral/session/restrict`: from now on this client connection sees one connection only.
///
/// Tools, resources and prompts of others are unknown to it; it cannot be widened again. The
/// connection need not exist yet, so that asking has no side effect.
public enum SessionRestrict: ControlMethod {
    /// The method's name.
    public static let method = "corral/session/restrict"
    /// Nothing is left to tell.
    public typealias Result = Empty

    /// Which connection remains.
    public struct Params: ControlValue {
        /// The connection's name.
        public var connection: String

        /// Makes params.
        public init(connection: String) {
            self.connection = connection
        }

        /// Reads params.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "params")
            try fields.allowOnly(["connection"])
            connection = try fields.string("connection")
        }

        /// The params as they are sent.
        public var json: JSON { ["connection": .string(connection)] }
    }
}
