public import JSONRPC

/// `corral/whoami`: who the daemon takes the caller for, and what that user may do.
public enum Whoami: ControlMethod {
    /// The method's name.
    public static let method = "corral/whoami"
    /// Nothing is asked.
    public typealias Params = Empty

    /// The caller as the kernel named it, and its rights.
    public struct Result: ControlValue {
        /// The user's name, or the number when it has none.
        public var user: String
        /// The user's number.
        public var uid: Int
        /// The user's groups by name.
        public var groups: [String]
        /// The run cards this user may use.
        public var cards: [String]
        /// Whether this user may connect a command of their own.
        public var mayRunCommands: Bool
        /// The policies in whose sandbox this user may run any command.
        public var run: [String]
        /// Whether this user may see and change what belongs to others.
        public var admin: Bool
        /// Most connections this user may have.
        public var connectionsMax: Int

        /// Makes an answer.
        public init(
            user: String, uid: Int, groups: [String], cards: [String], mayRunCommands: Bool,
            run: [String], admin: Bool, connectionsMax: Int
        ) {
            self.user = user
            self.uid = uid
            self.groups = groups
            self.cards = cards
            self.mayRunCommands = mayRunCommands
            self.run = run
            self.admin = admin
            self.connectionsMax = connectionsMax
        }

        /// Reads an answer.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "result")
            self.init(
                user: try fields.string("user"), uid: try fields.integer("uid"),
                groups: try fields.strings("groups"), cards: try fields.strings("cards"),
                mayRunCommands: try fields.bool("mayRunCommands"),
                run: try fields.strings("run"), admin: try fields.bool("admin"),
                connectionsMax: try fields.integer("connectionsMax"))
        }

        /// The answer as it is sent.
        public var json: JSON {
            [
                "user": .string(user), "uid": .integer(uid),
                "groups": .array(groups.map(JSON.string)),
                "cards": .array(cards.map(JSON.string)), "mayRunCommands": .bool(mayRunCommands),
                "run": .array(run.map(JSON.string)), "admin": .bool(admin),
                "connectionsMax": .integer(connectionsMax),
            ]
        }
    }
}
