public import YAML

/// Who may use which cards and tools, and who may run commands of their own: `access.yaml`.
///
/// Pure decisions: a matching `deny` rule wins over every `allow` rule, and what no rule allows is
/// denied.
public struct Access: Sendable, Equatable {
    /// What opens something.
    public var allow: [Rule]
    /// What closes it again.
    public var deny: [Rule]
    /// The file it was read from.
    public var file: String

    /// Access that opens nothing to nobody.
    public static func closed(file: String) -> Access {
        Access(allow: [], deny: [], file: file)
    }

    /// Whether `user` may use connections of `card` at all: register, list, test, remove.
    public func decide(user: Caller, card: String) -> Verdict {
        judge(user) { rule, isDeny in
            rule.covers(card: card) && (!isDeny || rule.coversAllTools)
        }
    }

    /// Whether `user` may call `tool` on a connection made from `card`.
    public func decide(user: Caller, card: String, tool: String) -> Verdict {
        judge(user) { rule, _ in rule.covers(card: card) && rule.covers(tool: tool) }
    }

    /// Whether `user` may use what servers of `card` offer beside their tools: prompts, resources.
    ///
    /// A rule that names tools says nothing about these, unless it names all.
    public func decideBesideTools(user: Caller, card: String) -> Verdict {
        judge(user) { rule, _ in rule.covers(card: card) && rule.coversAllTools }
    }

    /// Whether `user` may run commands of their own, through a card with `free_command: true`.
    public func mayRunCommands(_ user: Caller) -> Verdict {
        judge(user) { rule, isDeny in
            rule.commands || (isDeny && rule.coversAllCards && rule.coversAllTools)
        }
    }

    /// Whether a host directory may be mounted for `user` on a connection made from `card`.
    ///
    /// It is opened with the user's own rights, which is enough for ordinary users; root may read
    /// everything, so for root a rule has to name the place.
    public func decide(user: Caller, card: String, directory: String) -> Verdict {
        judge(user) { rule, isDeny in
            rule.covers(card: card) && (isDeny ? rule.coversAllTools : rule.opens(directory, user))
        }
    }

    /// Whether `user` may run commands of their own in the sandbox of `policy`, without any card.
    public func decide(user: Caller, policy: String) -> Verdict {
        judge(user) { rule, _ in rule.covers(policy: policy) }
    }

    /// Whether a host directory may be mounted for a command of `user`; as for a card's.
    public func decide(user: Caller, policy: String, directory: String) -> Verdict {
        judge(user) { rule, isDeny in
            rule.covers(policy: policy) && (isDeny || rule.opens(directory, user))
        }
    }

    private func judge(
        _ user: Caller, _ matches: (_ rule: Rule, _ isDeny: Bool) -> Bool
    ) -> Verdict {
        if let rule = deny.first(where: { $0.concerns(user) && matches($0, true) }) {
            return .deny(.rule(rule.name, rule.place))
        }
        if let rule = allow.first(where: { $0.concerns(user) && matches($0, false) }) {
            return .allow(rule.name, rule.place)
        }
        return .deny(.nothingMatches(file))
    }
}

/// Who calls: what SO_PEERCRED and the user database say.
public struct Caller: Sendable, Hashable {
    /// The user's number.
    public var uid: UInt32
    /// The user's name.
    public var user: String
    /// The names of the user's groups.
    public var groups: [String]

    /// Describes a caller.
    public init(uid: UInt32, user: String, groups: [String]) {
        self.uid = uid
        self.user = user
        self.groups = groups
    }
}

/// A decision, and the rule it rests on.
public enum Verdict: Sendable, Equatable {
    /// Allowed by this rule (`allow[0]`), which stands here.
    case allow(String, Place)
    /// Denied, and why.
    case deny(Reason)

    /// Why something is denied.
    public enum Reason: Sendable, Equatable {
        /// This rule (`deny[2]`) says so; it stands here.
        case rule(String, Place)
        /// No rule of this file allows it.
        case nothingMatches(String)
    }

    /// Whether it is allowed.
    public var isAllowed: Bool {
        if case .allow = self { true } else { false }
    }

    /// The rule's name, `allow[0]`, `deny[2]` or `nothing matches`.
    public var rule: String {
        switch self {
        case .allow(let name, _), .deny(.rule(let name, _)): name
        case .deny(.nothingMatches): "nothing matches"
        }
    }

    /// Where the rule stands; the file's beginning when nothing matches.
    public var place: Place {
        switch self {
        case .allow(_, let place), .deny(.rule(_, let place)): place
        case .deny(.nothingMatches(let file)): Place(file: file)
        }
    }
}

extension Access {
    /// One rule: for whom, and what it covers.
    public struct Rule: Sendable, Equatable {
        /// `allow[0]`, `deny[2]`.
        public var name: String
        /// Where it stands.
        public var place: Place
        /// User names; `*` is everyone.
        public var users: [String]
        /// Group names.
        public var groups: [String]
        /// Patterns of card names; nil when the rule does not say, which in `deny` means all.
        public var cards: [String]?
        /// Patterns of tool names; nil when the rule does not say, which means all.
        public var tools: [String]?
        /// Host directories that may be mounted, with all below; nil when the rule does not say,
        /// which means all that the user may read, and none for root.
        public var directories: [String]?
        /// Whether it is about commands of the user's own.
        public var commands: Bool
        /// Patterns of policies in whose sandbox any command may be run; nil when the rule does not
        /// say.
        public var run: [String]?
        /// Whether the rule stands under `deny`.
        var isDeny: Bool

        func opens(_ directory: String, _ user: Caller) -> Bool {
            guard let directories else { return user.uid != 0 }
            return directories.contains { place in
                place == "/" || directory == place || directory.hasPrefix(place + "/")
            }
        }

        func concerns(_ user: Caller) -> Bool {
            users.contains("*") || users.contains(user.user)
                || groups.contains { user.groups.contains($0) }
        }

        /// A `deny` rule that speaks of commands only leaves cards and tools alone.
        private var speaksOfCards: Bool {
            cards != nil || tools != nil || !(commands || run != nil)
        }

        func covers(card: String) -> Bool {
            guard let cards else { return isDeny && speaksOfCards }
            return cards.contains { matches(card, pattern: $0) }
        }

        /// What takes away commands of a user's own, or everything, takes these away as well.
        func covers(policy: String) -> Bool {
            if isDeny, commands || (coversAllCards && coversAllTools) { return true }
            return run?.contains { matches(policy, pattern: $0) } ?? false
        }

        func covers(tool: String) -> Bool {
            tools?.contains { matches(tool, pattern: $0) } ?? true
        }

        var coversAllCards: Bool { isDeny && (cards?.contains("*") ?? speaksOfCards) }
        var coversAllTools: Bool { tools?.contains("*") ?? true }
    }
}
