public import JSONRPC

/// What the daemon tells about a run card that the caller may use.
public struct Card: ControlValue {
    /// The name users type.
    public var name: String
    /// The name people read.
    public var title: String
    /// One line on what it gives.
    public var description: String
    /// What the user chooses.
    public var settings: [Setting]
    /// Secrets the user gives.
    public var credentials: [Credential]
    /// `host:port` entries its server reaches.
    public var network: [String]

    /// Makes a card's description.
    public init(
        name: String, title: String, description: String, settings: [Setting],
        credentials: [Credential], network: [String]
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.settings = settings
        self.credentials = credentials
        self.network = network
    }

    /// Reads a card's description.
    public init(json: JSON) throws(ControlError) {
        let fields = try Fields(json, in: "card")
        self.init(
            name: try fields.string("name"), title: try fields.string("title"),
            description: try fields.string("description"),
            settings: try fields.values("settings", as: Setting.self),
            credentials: try fields.values("credentials", as: Credential.self),
            network: try fields.strings("network"))
    }

    /// The description as it is sent.
    public var json: JSON {
        [
            "name": .string(name), "title": .string(title), "description": .string(description),
            "settings": .array(settings.map(\.json)),
            "credentials": .array(credentials.map(\.json)),
            "network": .array(network.map(JSON.string)),
        ]
    }
}

extension Card {
    /// Something the user chooses when connecting.
    public struct Setting: ControlValue {
        /// The type of a setting's value.
        public enum Kind: String, Sendable, Equatable, CaseIterable {
            /// Text on one line.
            case string
            /// A whole number.
            case integer
            /// One of `choices`.
            case choice
            /// A host directory.
            case directory
            /// A list of words: a command line.
            case words
        }
        /// The name in `--set NAME=VALUE`.
        public var name: String
        /// The type of its value.
        public var kind: Kind
        /// Whether it must be given.
        public var required: Bool
        /// What holds when it is not given; `default` on the wire.
        public var standard: String?
        /// The values a `choice` may have.
        public var choices: [String]
        /// One line that tells the user what to type.
        public var hint: String

        /// Makes a setting's description.
        public init(
            name: String, kind: Kind, required: Bool, standard: String? = nil,
            choices: [String] = [], hint: String = ""
        ) {
            self.name = name
            self.kind = kind
            self.required = required
            self.standard = standard
            self.choices = choices
            self.hint = hint
        }

        /// Reads a setting's description.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "setting")
            self.init(
                name: try fields.string("name"), kind: try fields.choice("kind", of: Kind.self),
                required: try fields.bool("required"),
                standard: try fields.optionalString("default"),
                choices: try fields.strings("choices"), hint: try fields.string("hint"))
        }

        /// The setting as it is sent.
        public var json: JSON {
            var object: JSONObject = [
                "name": .string(name), "kind": .string(kind.rawValue), "required": .bool(required),
                "choices": .array(choices.map(JSON.string)), "hint": .string(hint),
            ]
            object["default"] = standard.map(JSON.string)
            return .object(object)
        }
    }

    /// A secret the server needs.
    public struct Credential: ControlValue {
        /// The name the user gives it by.
        public var name: String
        /// Whether the server cannot work without it.
        public var required: Bool
        /// Where to get it.
        public var hint: String

        /// Makes a credential's description.
        public init(name: String, required: Bool, hint: String = "") {
            self.name = name
            self.required = required
            self.hint = hint
        }

        /// Reads a credential's description.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "credential")
            self.init(
                name: try fields.string("name"), required: try fields.bool("required"),
                hint: try fields.string("hint"))
        }

        /// The credential as it is sent.
        public var json: JSON {
            ["name": .string(name), "required": .bool(required), "hint": .string(hint)]
        }
    }
}
