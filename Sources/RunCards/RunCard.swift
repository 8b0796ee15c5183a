public import Policy
public import YAML

/// A ready template for one MCP server: everything needed to go from its name to listed tools.
public struct RunCard: Sendable, Equatable {
    /// The name users type, `[a-z0-9-]{1,32}`.
    public var name: String
    /// The name people read.
    public var title: String
    /// One line on what it gives.
    public var description: String
    /// The policy it runs under, by name.
    public var policy: String
    /// What is installed before the first start; nil when the command is on the host already.
    public var install: Install?
    /// Whether the user says what is run (a `words` setting), which access.yaml must allow.
    public var freeCommand: Bool
    /// The command's words, with `{prefix}` and `{SETTING}` placeholders still in them.
    public var command: [String]
    /// Fixed environment of the server.
    public var environment: [Variable]
    /// What the user chooses.
    public var settings: [Setting]
    /// Secrets the user gives.
    public var credentials: [Credential]
    /// Destinations that the server needs.
    public var networkAllow: [Policy.Network.Grant]
    /// Memory it asks for in bytes, within the policy's maximum; nil takes the policy's standard.
    public var memory: Int?
    /// The call timeout it asks for, within the policy's maximum.
    public var callTimeout: Duration?
    /// How long its sandbox may live, no longer than the policy says.
    public var life: Duration?
    /// Address space of each process in bytes, no more than the policy says.
    public var addressSpace: Int?
    /// How fast it may read and write disks, no faster than the policy says.
    public var io: Policy.IO?
    /// Which era of MCP the server speaks.
    public var era: Era
    /// What its server may ask of the clients that call it.
    public var clientRequests: [ClientRequest]
    /// Tool patterns (`create_*`) that wait for a person.
    public var approve: [String]
    /// Tool patterns that are refused.
    public var deny: [String]
    /// The file it was read from.
    public var file: String
    /// Where each key that the file writes has its value: `limits.memory`, `tools.deny[0]`.
    public var places: [String: Place]

    /// Where a key's value stands; the file's beginning for a key that was left to its default.
    public func place(of key: String) -> Place {
        places[key] ?? Place(file: file)
    }
}

extension RunCard {
    /// Which era of MCP a server speaks.
    public enum Era: String, Sendable, Equatable, CaseIterable {
        /// Probed with `server/discover`, then `initialize`.
        case auto
        /// 2026-07-28 and later: no handshake.
        case modern
        /// Up to 2025-11-25: `initialize`.
        case legacy
    }

    /// Something that a server asks a client for.
    public enum ClientRequest: String, Sendable, Equatable, CaseIterable {
        /// A form for the user to fill in.
        case elicitation
        /// A completion by the client's language model.
        case sampling
        /// The directories that the client works in.
        case roots
    }

    /// Packages to install, all versions pinned and hashed in the lock file.
    public struct Install: Sendable, Equatable {
        /// Requirements, each `name==version`.
        public var pypi: [String]
        /// The lock file's name beside the card; pip's `--require-hashes` format.
        public var lock: String
    }

    /// A fixed variable of the server's environment.
    public struct Variable: Sendable, Equatable {
        /// The variable's name.
        public var name: String
        /// Its value, with placeholders.
        public var value: String

        /// Pairs a name with a value.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Something the user chooses when connecting.
    public struct Setting: Sendable, Equatable {
        /// The type of a setting's value.
        public enum Kind: String, Sendable, Equatable, CaseIterable {
            /// Text on one line.
            case string
            /// A whole number.
            case integer
            /// One of `choices`.
            case choice
            /// A host directory, mounted at its own path.
            case directory
            /// A list of words: a command line.
            case words
        }
        /// The name in `--set NAME=VALUE` and in `{NAME}`.
        public var name: String
        /// The type of its value.
        public var kind: Kind
        /// Whether it must be given.
        public var required: Bool
        /// What holds when it is not given.
        public var standard: String?
        /// The values a `choice` may have.
        public var choices: [String]
        /// Whether a `directory` is mounted writable.
        public var writable: Bool
        /// One line that tells the user what to type.
        public var hint: String
    }

    /// A secret the server needs.
    public struct Credential: Sendable, Equatable {
        /// The name the user gives it by.
        public var name: String
        /// The environment variable that carries it.
        public var env: String
        /// Whether the server cannot work without it.
        public var required: Bool
        /// Where to get it.
        public var hint: String
    }
}
