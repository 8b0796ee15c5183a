import YAML

/// Why a user's settings do not fit a card.
public struct SettingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The card's name.
    public let card: String
    /// The setting's name.
    public let setting: String
    /// What is wrong, and what would be right.
    public let cause: String

    /// `cannot use setting 'repository' of card 'git': must be an absolute path …`.
    public var description: String {
        "cannot use setting '\(printable(setting))' of card '\(card)': \(cause)"
    }
}

extension RunCard {
    /// The values that hold: the user's, each checked against its kind, and the card's defaults.
    ///
    /// Throws for the first setting that is unknown, missing or unfit, in the card's order.
    public func values(
        _ given: [String: [String]]
    ) throws(SettingError) -> [String: [String]] {
        let names = settings.map(\.name)
        if let unknown = given.keys.sorted().first(where: { !names.contains($0) }) {
            let hint =
                nearest(unknown, among: names).map { "did you mean '\($0)'?" }
                ?? (names.isEmpty
                    ? "this card has none" : "there are: \(names.joined(separator: ", "))")
            throw SettingError(
                card: name, setting: unknown, cause: "no such setting (\(hint))")
        }
        var values: [String: [String]] = [:]
        for setting in settings {
            guard let value = given[setting.name] ?? setting.standard.map({ [$0] }) else {
                guard setting.required else { continue }
                let hint = setting.hint.isEmpty ? "" : " (\(setting.hint))"
                throw SettingError(
                    card: name, setting: setting.name, cause: "it must be given\(hint)")
            }
            do throws(Wrong) {
                try setting.check(value)
            } catch {
                throw SettingError(card: name, setting: setting.name, cause: error.message)
            }
            values[setting.name] = value
        }
        return values
    }
}

extension RunCard.Setting {
    /// Throws unless the values fit the setting's kind.
    func check(_ values: [String]) throws(Wrong) {
        if kind == .words { return try checkWords(values) }
        guard values.count == 1 else { throw Wrong("takes one value, not \(values.count)") }
        let value = values[0]
        guard value.utf8.count <= Limit.valueBytes else {
            throw Wrong("longer than \(Limit.valueBytes) bytes")
        }
        guard !value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw Wrong("control characters and line breaks are not allowed") }
        switch kind {
        case .string, .words: break
        case .integer:
            guard let number = Int(value), String(number) == value else {
                throw Wrong("'\(printable(value))' is not a whole number")
            }
        case .choice:
            guard choices.contains(value) else {
                throw Wrong(
                    "'\(printable(value))' is not one of \(choices.joined(separator: ", "))")
            }
        case .directory: try checkDirectory(value)
        }
    }

    private func checkWords(_ words: [String]) throws(Wrong) {
        guard words.count <= Limit.words else { throw Wrong("more than \(Limit.words) words") }
        guard let first = words.first, !first.isEmpty else {
            throw Wrong("at least one word is needed: the program")
        }
        var total = 0
        for word in words {
            total += word.utf8.count + 1
            guard !word.utf8.contains(0) else { throw Wrong("a NUL byte is not allowed") }
        }
        guard total <= Limit.wordsBytes else {
            throw Wrong("more than \(Limit.wordsBytes >> 10) KiB of words")
        }
    }

    private func checkDirectory(_ path: String) throws(Wrong) {
        try checkPath(path)
        // A mount at one of these, or above it, would hide what the sandbox itself puts there.
        for own in ["/dev", "/home/tool", RunCard.prefix, "/proc", "/sys", "/tmp"]
        where own == path || own.hasPrefix(path == "/" ? "/" : path + "/") {
            throw Wrong("'\(path)' is the sandbox's own: choose a directory that is not")
        }
        for own in ["/dev/", "/home/tool/", RunCard.prefix + "/", "/proc/", "/sys/"]
        where path.hasPrefix(own) {
            throw Wrong("'\(path)' is under the sandbox's own '\(own)': choose another directory")
        }
    }
}

/// What a user's settings may hold at most.
private enum Limit {
    /// A value's bytes; paths end at 1024 and nothing else is long.
    static let valueBytes = 4096
    /// The words of a command, as many as a message to the supervisor takes.
    static let words = 512
    /// All words together, as much as a message to the supervisor takes with room for the rest.
    static let wordsBytes = 64 << 10
}
