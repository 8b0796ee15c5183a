public import Policy
public import RunCards
public import YAML

/// Everything that decides what is allowed, read at one time: policies, access rules, system call
/// profiles, run cards and their locks. Whole and consistent, or not there at all.
public struct PolicySet: Sendable, Equatable {
    /// Policies by name.
    public let policies: [String: Policy]
    /// System call profiles by name.
    public let profiles: [String: SyscallProfile]
    /// Run cards by name.
    public let cards: [String: RunCard]
    /// Locks by the name of the card that installs from them.
    public let locks: [String: Lock]
    /// For each card by name, its policy narrowed by what it asks for.
    public let narrowed: [String: Policy]
    /// Who may do what.
    public let access: Access

    /// Builds a set from the files' contents; throws every mistake of every file at once.
    public init(_ files: Contents) throws(Mistakes) {
        var builder = PolicySetBuilder()
        builder.read(files)
        builder.connect()
        guard builder.mistakes.isEmpty else { throw Mistakes(builder.mistakes) }
        policies = builder.policies
        profiles = builder.profiles
        cards = builder.cards
        locks = builder.locks
        narrowed = builder.narrowed
        access = builder.access
    }

    /// What the files of a set hold, before anything of it is understood.
    public struct Contents: Sendable {
        /// A file's name and bytes.
        public struct File: Sendable {
            /// The name for messages: the path it was read from.
            public var name: String
            /// What it holds.
            public var bytes: [UInt8]

            /// Pairs a name with bytes.
            public init(name: String, bytes: [UInt8]) {
                self.name = name
                self.bytes = bytes
            }

            /// The name without its directory.
            var lastName: String { String(name.split(separator: "/").last ?? "") }
        }

        /// `access.yaml`.
        public var access: File
        /// The policies.
        public var policies: [File]
        /// The system call profiles.
        public var profiles: [File]
        /// The run cards.
        public var cards: [File]
        /// The locks beside the cards.
        public var locks: [File]

        /// Groups the files of a set.
        public init(
            access: File, policies: [File], profiles: [File], cards: [File], locks: [File]
        ) {
            self.access = access
            self.policies = policies
            self.profiles = profiles
            self.cards = cards
            self.locks = locks
        }
    }
}

/// Reads the files of a set one by one, then looks at how they fit together.
private struct PolicySetBuilder {
    var mistakes: [Mistake] = []
    var policies: [String: Policy] = [:]
    var profiles: [String: SyscallProfile] = [:]
    var cards: [String: RunCard] = [:]
    var locks: [String: Lock] = [:]
    var narrowed: [String: Policy] = [:]
    var access = Access.closed(file: "")
    /// Names that a file with mistakes may have: nothing that refers to them is a mistake too.
    private var lockFiles: [String: Lock] = [:]
    private var brokenLocks: Set<String> = []
    private var hasBrokenPolicy = false
    private var hasBrokenProfile = false

    mutating func read(_ files: PolicySet.Contents) {
        if let access = attempt({ () throws(Mistakes) in
            try Access.read(files.access.bytes, file: files.access.name)
        }) {
            self.access = access
        }
        for file in files.profiles {
            let profile = attempt { () throws(Mistakes) in
                try SyscallProfile.read(file.bytes, file: file.name)
            }
            guard let profile else {
                hasBrokenProfile = true
                continue
            }
            let first = profiles.updateValue(profile, forKey: profile.name)
            reportTwice(first?.file, "profile", profile.name, file.name)
        }
        for file in files.policies {
            let policy = attempt { () throws(Mistakes) in
                try Policy.read(file.bytes, file: file.name)
            }
            guard let policy else {
                hasBrokenPolicy = true
                continue
            }
            let first = policies.updateValue(policy, forKey: policy.name)
            reportTwice(first?.file, "policy", policy.name, file.name)
        }
        readCards(files)
    }

    private mutating func readCards(_ files: PolicySet.Contents) {
        for file in files.locks {
            let lock = attempt { () throws(Mistakes) in
                try Lock.read(file.bytes, file: file.name)
            }
            if lock == nil { brokenLocks.insert(file.lastName) }
            lockFiles[file.lastName] = lock
        }
        for file in files.cards {
            let card = attempt { () throws(Mistakes) in
                try RunCard.read(file.bytes, file: file.name)
            }
            guard let card else { continue }
            let first = cards.updateValue(card, forKey: card.name)
            reportTwice(first?.file, "run card", card.name, file.name)
        }
    }

    mutating func connect() {
        for policy in policies.values where profiles[policy.syscalls] == nil && !hasBrokenProfile {
            mistakes.append(
                Mistake(
                    policy.place(of: "syscalls"),
                    "no profile is named '\(policy.syscalls)'"
                        + hint(policy.syscalls, profiles.keys)))
        }
        for card in cards.values {
            connectLock(card)
            guard let policy = policies[card.policy] else {
                guard !hasBrokenPolicy else { continue }
                mistakes.append(
                    Mistake(
                        card.place(of: "policy"),
                        "no policy is named '\(card.policy)'" + hint(card.policy, policies.keys)))
                continue
            }
            narrowed[card.name] = attempt { () throws(Mistakes) in try card.narrowed(by: policy) }
        }
    }

    private mutating func connectLock(_ card: RunCard) {
        guard let install = card.install, !brokenLocks.contains(install.lock) else { return }
        guard let lock = lockFiles[install.lock] else {
            mistakes.append(
                Mistake(
                    card.place(of: "install.lock"),
                    "there is no file '\(install.lock)' beside the card"
                        + hint(install.lock, lockFiles.keys)))
            return
        }
        locks[card.name] = lock
        mistakes += card.missing(in: lock)
    }

    private mutating func attempt<Value>(_ body: () throws(Mistakes) -> Value) -> Value? {
        do throws(Mistakes) {
            return try body()
        } catch {
            mistakes += error.all
            return nil
        }
    }

    private mutating func reportTwice(
        _ first: String?, _ what: String, _ name: String, _ file: String
    ) {
        guard let first else { return }
        mistakes.append(
            Mistake(Place(file: file), "a \(what) '\(name)' is already in \(first)"))
    }

    private func hint(_ name: String, _ known: some Collection<String>) -> String {
        let sorted = known.sorted()
        if let near = nearest(name, among: sorted) { return " (did you mean '\(near)'?)" }
        return sorted.isEmpty ? "" : " (there are: \(sorted.joined(separator: ", ")))"
    }
}
