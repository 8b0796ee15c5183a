public import YAML

extension Access {
    /// Reads `access.yaml`'s bytes; `file` names it in messages.
    ///
    /// Throws every mistake at once.
    public static func read(_ bytes: [UInt8], file: String) throws(Mistakes) -> Access {
        var access = try schema.read(bytes, file: file).value
        access.file = file
        access.allow = numbered(access.allow, "allow")
        access.deny = numbered(access.deny, "deny")
        return access
    }

    /// The keys of `access.yaml`.
    public static var schema: Schema<Access> {
        Schema(
            start: .closed(file: ""),
            [
                .version,
                Key(
                    "allow", .list(of: .record(Rule.allowSchema), limit: 1000), .standard("[]"),
                    \.allow, "What opens something; without a rule here nobody may do anything."),
                Key(
                    "deny", .list(of: .record(Rule.denySchema), limit: 1000), .standard("[]"),
                    \.deny, "What closes it again; wins over every `allow`."),
            ])
    }

    private static func numbered(_ rules: [Rule], _ list: String) -> [Rule] {
        rules.enumerated().map { index, rule in
            var rule = rule
            rule.name = "\(list)[\(index)]"
            return rule
        }
    }
}

extension Access.Rule {
    static var allowSchema: Schema<Self> {
        Schema(
            start: blank(isDeny: false),
            [
                users, groups,
                Key(
                    optional: "cards", .list(of: .namePattern, limit: 256), \.cards,
                    "Run cards they may use, with `*` for any text."),
                Key(
                    optional: "tools", .list(of: .namePattern, limit: 256), \.tools,
                    "Tools of these cards they may call, with `*` for any text; all when absent."),
                Key(
                    optional: "directories", .list(of: .path, limit: 256), \.directories,
                    "Host directories that may be mounted for them, with all below; when absent, "
                        + "those that the user may read, and none for root."),
                Key(
                    "commands", .boolean, .standard("false"), \.commands,
                    "Whether they may run commands of their own through a card with `free_command`."
                ),
                Key(
                    optional: "run", .list(of: .namePattern, limit: 256), \.run,
                    "Policies in whose sandbox they may run any command, with `*` for any text."),
            ]
        ) { rule, node, reader in
            rule.place = node.place
            rule.checkConcernsSomebody(node, &reader)
            if rule.cards?.isEmpty ?? true, rule.run?.isEmpty ?? true, !rule.commands {
                reader.report(
                    node.place, "the rule allows nothing: give 'cards', 'commands' or 'run'")
            }
            if rule.tools != nil, rule.cards == nil {
                reader.report(node.place, "'tools' needs 'cards' beside it")
            }
        }
    }

    static var denySchema: Schema<Self> {
        Schema(
            start: blank(isDeny: true),
            [
                users, groups,
                Key(
                    optional: "cards", .list(of: .namePattern, limit: 256), \.cards,
                    "Run cards it is about, with `*` for any text; all when absent."),
                Key(
                    optional: "tools", .list(of: .namePattern, limit: 256), \.tools,
                    "Tools it is about, with `*` for any text; the whole card when absent."),
                Key(
                    "commands", .boolean, .standard("false"), \.commands,
                    "Whether it takes away commands of their own, those of `run` included."),
                Key(
                    optional: "run", .list(of: .namePattern, limit: 256), \.run,
                    "Policies in whose sandbox they may not run commands, with `*` for any text."),
            ]
        ) { rule, node, reader in
            rule.place = node.place
            rule.checkConcernsSomebody(node, &reader)
            let lists = [rule.cards, rule.tools, rule.run]
            // An empty list would read as "deny nothing", which nobody means to write.
            if lists.contains([]) {
                reader.report(node.place, "an empty list denies nothing: leave the key out")
            }
            if rule.cards == nil, rule.tools == nil, rule.run == nil, !rule.commands {
                reader.report(
                    node.place,
                    "the rule denies nothing: give 'cards', 'tools', 'commands' or 'run'")
            }
        }
    }

    private static var users: Key<Self> {
        Key(
            "users", .list(of: .accountName, limit: 1000), .standard("[]"), \.users,
            "User names; `\"*\"` is everyone.")
    }

    private static var groups: Key<Self> {
        Key(
            "groups", .list(of: .accountName, limit: 1000), .standard("[]"), \.groups,
            "Group names; a user in any of them is meant.")
    }

    private static func blank(isDeny: Bool) -> Self {
        Self(
            name: "", place: Place(file: ""), users: [], groups: [], cards: nil, tools: nil,
            commands: false, run: nil, isDeny: isDeny)
    }

    private func checkConcernsSomebody(_ node: Node, _ reader: inout Reader) {
        if users.isEmpty, groups.isEmpty {
            reader.report(node.place, "the rule concerns nobody: give 'users' or 'groups'")
        }
        if groups.contains("*") {
            reader.report(node.place, "'*' stands under 'users', not under 'groups'")
        }
    }
}

extension Kind where Value == String {
    /// A user's or group's name as passwd(5) has it, or `*`.
    static var accountName: Kind {
        Kind.text(limit: 64).named("account name").checked { name throws(Wrong) in
            let isFit = name.unicodeScalars.allSatisfy { $0 != ":" && $0 != " " && $0 != "/" }
            let hasStar = name.contains("*") && name != "*"
            guard isFit, !name.isEmpty, !hasStar else {
                throw Wrong("write one user's or group's name, or \"*\" alone for everyone")
            }
        }
    }

    /// Letters, digits, `-`, `_`, `.` and `*`.
    public static var namePattern: Kind {
        Kind.text(limit: 128).named("pattern").checked { pattern throws(Wrong) in
            let isFit = pattern.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-_.*/".utf8.contains(byte)
                }
            }
            guard isFit, !pattern.isEmpty else {
                throw Wrong("a pattern has letters, digits, - _ . / and * for any text")
            }
        }
    }
}
