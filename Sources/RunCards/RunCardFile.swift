import Policy
public import YAML

extension RunCard {
    /// Reads a run card's bytes; `file` names it in messages.
    ///
    /// Throws every mistake at once.
    public static func read(_ bytes: [UInt8], file: String) throws(Mistakes) -> RunCard {
        let document = try schema.read(bytes, file: file)
        var card = document.value
        card.file = file
        card.places = document.places
        return card
    }

    /// The keys of a run card.
    public static var schema: Schema<RunCard> {
        Schema(start: .blank, identityKeys + commandKeys + boundaryKeys) { card, node, reader in
            card.checkNames(node, &reader)
            card.checkPlaceholders(node, &reader)
            card.checkFreeCommand(node, &reader)
        }
    }

    private static var identityKeys: [Key<RunCard>] {
        [
            .version,
            Key("name", .name(), .required, \.name, "The name in `corral connect NAME`."),
            Key("title", .text(limit: 64), .required, \.title, "The name people read."),
            Key(
                "description", .text(limit: 256), .required, \.description,
                "One line on what it gives."),
            Key(
                "policy", .name(), .standard("default"), \.policy,
                "The policy it runs under, by name."),
        ]
    }

    private static var commandKeys: [Key<RunCard>] {
        [
            Key(
                optional: "install", .record(Install.schema), \.install,
                "Packages to install; absent when the command is on the host already."),
            Key(
                "command", .list(of: .text(limit: 4096)), .required, \.command,
                "The command's words; `{prefix}` is where the packages are, `{NAME}` a setting."
            ),
            Key(
                "free_command", .boolean, .standard("false"), \.freeCommand,
                "Whether the user says what is run; `access.yaml` must allow it with `commands`."),
            Key(
                "environment", .environment, .standard("{}"), \.environment,
                "Variables of the server's environment; values may have placeholders."),
            Key(
                "settings", .list(of: .record(Setting.schema)), .standard("[]"), \.settings,
                "What the user chooses with `--set NAME=VALUE`."),
            Key(
                "credentials", .list(of: .record(Credential.schema)), .standard("[]"),
                \.credentials, "Secrets that the user gives."),
        ]
    }

    private static var boundaryKeys: [Key<RunCard>] {
        [
            Key(
                "network", .record(Network.schema), .standard("{}"), \.network,
                "What it needs of the network."),
            Key(
                "limits", .record(Limits.schema), .standard("{}"), \.limits,
                "What it needs to run."),
            Key(
                "protocol", .choice, .standard("auto"), \.era,
                "The era of MCP it speaks; `auto` finds out."),
            Key(
                "client_requests", .list(of: .choice), .standard("[]"), \.clientRequests,
                "What its server may ask of clients that answer it. Empty: nothing."),
            Key("tools", .record(Tools.schema), .standard("{}"), \.tools, "Rules on its tools."),
        ]
    }

    /// What the reader fills: every field is a key with a default or a required one.
    private static var blank: RunCard {
        RunCard(
            name: "", title: "", description: "", policy: "", install: nil, freeCommand: false,
            command: [], environment: [], settings: [], credentials: [], networkAllow: [],
            memory: nil, callTimeout: nil, life: nil, addressSpace: nil, io: nil, era: .auto,
            clientRequests: [], approve: [], deny: [], file: "", places: [:])
    }
}

// The card's groups of keys, each a view of the fields it fills.
extension RunCard {
    struct Network: Sendable {
        var allow: [Policy.Network.Grant] = []

        static var schema: Schema<Network> {
            Schema(
                start: Network(),
                [
                    Key(
                        "allow", .list(of: .grant), .standard("[]"), \.allow,
                        "Destinations it needs; the policy must grant each. Empty: no network.")
                ])
        }
    }

    struct Limits: Sendable {
        var memory: Int?
        var callTimeout: Duration?
        var life: Duration?
        var addressSpace: Int?
        var io: Policy.IO?

        static var schema: Schema<Limits> {
            Schema(
                start: Limits(),
                [
                    Key(
                        optional: "memory", .size(16 << 20...1 << 40), \.memory,
                        "Memory it needs, up to the policy's `max`; else the policy's `default`."),
                    Key(
                        optional: "call_timeout",
                        .duration(.milliseconds(100)...Duration.seconds(86_400)), \.callTimeout,
                        "How long a call may take, up to the policy's `max`; else its `default`."),
                    Key(
                        optional: "life",
                        .duration(
                            .seconds(1)...Duration.seconds(365 * 86_400), step: .seconds(1)),
                        \.life, "How long a sandbox may live, at most what the policy says."),
                    Key(
                        optional: "address_space", .size(64 << 20...1 << 46), \.addressSpace,
                        "Address space of each process, at most what the policy says."),
                    Key(
                        optional: "io", .record(Policy.IO.schema), \.io,
                        "How fast it may read and write disks, at most what the policy says."),
                ])
        }
    }

    struct Tools: Sendable {
        var approve: [String] = []
        var deny: [String] = []

        static var schema: Schema<Tools> {
            Schema(
                start: Tools(),
                [
                    Key(
                        "approve", .list(of: .namePattern, limit: 256), .standard("[]"), \.approve,
                        "Tools, with `*` for any text, that wait for a person's approval."),
                    Key(
                        "deny", .list(of: .namePattern, limit: 256), .standard("[]"), \.deny,
                        "Tools, with `*` for any text, that nobody may call."),
                ])
        }
    }

    fileprivate var network: Network {
        get { Network(allow: networkAllow) }
        set { networkAllow = newValue.allow }
    }

    fileprivate var limits: Limits {
        get {
            Limits(
                memory: memory, callTimeout: callTimeout, life: life, addressSpace: addressSpace,
                io: io)
        }
        set {
            (memory, callTimeout) = (newValue.memory, newValue.callTimeout)
            (life, addressSpace) = (newValue.life, newValue.addressSpace)
            io = newValue.io
        }
    }

    fileprivate var tools: Tools {
        get { Tools(approve: approve, deny: deny) }
        set { (approve, deny) = (newValue.approve, newValue.deny) }
    }
}
