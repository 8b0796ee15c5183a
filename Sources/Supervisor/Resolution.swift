import Configuration
import Kernel
import struct NetworkRules.EgressRules
import Policy
import RunCards
import Sandbox
import SupervisorProtocol

/// A start request checked against the policies and cards that this process read itself: every
/// name looked up, every value allowed by the card. Pure.
struct Resolution: Equatable {
    let card: RunCard
    /// The policy as the card narrows it.
    let policy: Policy
    let command: [String]
    /// `NAME=value` lines, credentials included.
    let environment: [String]
    let directories: [RunCard.Directory]
    /// What it may reach; worded here, once for all starts that come to the same.
    let rules: EgressRules

    init(
        _ request: Request.Start, set: PolicySet, caller: Caller
    ) throws(Refusal) {
        guard let card = set.cards[request.card], let policy = set.narrowed[request.card] else {
            throw Refusal(
                code: .notAllowed,
                message: "cannot start '\(request.card)': no run card has this name")
        }
        self.card = card
        self.policy = policy
        rules = policy.egressRules
        try Self.check(caller, card, set.access)
        let settings = try Self.settings(request, card)
        let credentials = try Self.credentials(request, card)
        do throws(SettingError) {
            command = try card.command(settings: settings)
            directories = try card.directories(settings: settings)
            let own = try card.environment(settings: settings).map { "\($0.name)=\($0.value)" }
            environment = Self.merged(Self.standardEnvironment + own + credentials)
        } catch {
            throw Refusal(code: .badSetting, message: error.description)
        }
        guard !command.isEmpty else {
            throw Refusal(
                code: .badSetting, message: "cannot start '\(card.name)': its command is empty")
        }
        for directory in directories {
            try Self.check(caller, card, directory, set.access)
            guard let place = RootTree.conflict(of: directory.path) else { continue }
            throw Refusal(
                code: .badSetting,
                message: "cannot mount '\(directory.path)': the sandbox has its own '\(place)' "
                    + "(choose a directory elsewhere, for example below your home)")
        }
    }

    /// What every tool gets; nothing of this process's own environment.
    static let standardEnvironment = [
        "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=\(RootTree.home)", "USER=tool", "LOGNAME=tool",
        "LANG=C.UTF-8", "TMPDIR=/tmp",
    ]

    /// Each name once, with its last value: a tool reads the first it finds.
    static func merged(_ lines: [String]) -> [String] {
        var names: Set<Substring> = []
        return lines.reversed().filter { names.insert($0.prefix { $0 != "=" }).inserted }.reversed()
    }

    private static func check(
        _ caller: Caller, _ card: RunCard, _ access: Access
    ) throws(Refusal) {
        var verdict = access.decide(user: caller, card: card.name)
        if verdict.isAllowed && card.freeCommand { verdict = access.mayRunCommands(caller) }
        guard !verdict.isAllowed else { return }
        throw Refusal(
            code: .notAllowed,
            message: "cannot start '\(card.name)' for user '\(caller.user)': "
                + "\(verdict.place): \(verdict.rule)")
    }

    private static func check(
        _ caller: Caller, _ card: RunCard, _ directory: RunCard.Directory, _ access: Access
    ) throws(Refusal) {
        let verdict = access.decide(user: caller, card: card.name, directory: directory.path)
        guard verdict.isAllowed else {
            throw Refusal(mounting: directory.path, for: caller, verdict)
        }
    }

    private static func settings(
        _ request: Request.Start, _ card: RunCard
    ) throws(Refusal) -> [String: [String]] {
        var settings: [String: [String]] = [:]
        for setting in request.settings {
            guard settings.updateValue(setting.values, forKey: setting.name) == nil else {
                throw Refusal(
                    code: .badSetting,
                    message: "cannot start '\(card.name)': setting '\(setting.name)' is given twice"
                )
            }
        }
        return settings
    }

    private static func credentials(
        _ request: Request.Start, _ card: RunCard
    ) throws(Refusal) -> [String] {
        var lines: [String] = []
        var missing = Set(card.credentials.filter(\.required).map(\.name))
        for given in request.credentials {
            guard let known = card.credentials.first(where: { $0.name == given.name }) else {
                throw refusal(card, given.name, "is no credential of this card")
            }
            guard given.value.utf8.count <= Limit.credentialBytes else {
                throw refusal(card, given.name, "is longer than \(Limit.credentialBytes) bytes")
            }
            missing.remove(known.name)
            lines.append("\(known.env)=\(given.value)")
        }
        if let name = missing.min() {
            throw refusal(card, name, "is required and not given")
        }
        return lines
    }

    private static func refusal(_ card: RunCard, _ name: String, _ cause: String) -> Refusal {
        Refusal(
            code: .badSetting, message: "cannot start '\(card.name)': credential '\(name)' \(cause)"
        )
    }
}

extension Refusal {
    /// A host directory that the access rules keep from a user.
    init(mounting path: String, for caller: Caller, _ verdict: Verdict) {
        let hint =
            caller.uid == 0
            ? "root may read everything, so a rule has to name it: add 'directories: [\(path)]'"
            : "see 'directories' in the access rules"
        self.init(
            code: .notAllowed,
            message: "cannot mount '\(path)' for user '\(caller.user)': "
                + "\(verdict.place): \(verdict.rule) (\(hint))")
    }
}
