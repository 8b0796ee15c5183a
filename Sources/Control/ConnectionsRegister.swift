public import JSONRPC

/// `corral/connections/register`: install, start, handshake, list tools and store, or nothing.
///
/// A `progressToken` in `_meta` brings `notifications/progress` for each of these steps.
public enum ConnectionsRegister: ControlMethod {
    /// The method's name.
    public static let method = "corral/connections/register"
    /// The connection as it now is.
    public typealias Result = Connection

    /// What is to be connected, under which name, with what.
    public struct Params: ControlValue {
        /// The connection's name, `[a-z0-9-]{1,32}`.
        public var name: String
        /// The run card's name.
        public var card: String
        /// Values for the card's settings.
        public var settings: [String: SettingValue]
        /// Values for the card's credentials.
        public var credentials: [String: Secret]

        /// Makes params.
        public init(
            name: String, card: String, settings: [String: SettingValue] = [:],
            credentials: [String: Secret] = [:]
        ) {
            self.name = name
            self.card = card
            self.settings = settings
            self.credentials = credentials
        }

        /// Reads params; without `name` the card's own holds.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "params")
            try fields.allowOnly(["name", "card", "settings", "credentials"])
            let card = try fields.string("card")
            var credentials: [String: Secret] = [:]
            for member in try fields.members("credentials") {
                guard let value = member.value.stringValue else {
                    throw fields.error("credentials." + member.name, "expected a string")
                }
                credentials[member.name] = Secret(value)
            }
            self.init(
                name: try fields.optionalString("name") ?? card, card: card,
                settings: try fields.settings("settings"), credentials: credentials)
        }

        /// The params as they are sent, credentials revealed.
        public var json: JSON {
            var secrets: JSONObject = [:]
            for (name, secret) in credentials.sorted(by: { $0.key < $1.key }) {
                secrets[name] = .string(secret.revealed)
            }
            return [
                "name": .string(name), "card": .string(card), "settings": encoded(settings),
                "credentials": .object(secrets),
            ]
        }
    }
}
