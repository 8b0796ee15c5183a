internal import Control
internal import Kernel

/// Makes a card's settings from `name=value` words and the words after `--`.
struct SettingWords {
    private let card: Card
    private let connection: String

    /// For one card; `connection` is what errors are about.
    init(_ card: Card, connection: String) {
        self.card = card
        self.connection = connection
    }

    /// The settings; a directory's path is made absolute, because the daemon stands elsewhere.
    func values(
        _ words: [String], command: [String]
    ) throws(CommandFailure) -> [String: SettingValue] {
        var values: [String: SettingValue] = [:]
        for word in words {
            guard let sign = word.firstIndex(of: "="), sign > word.startIndex else {
                throw failure("'\(word)' is not of the form name=value")
            }
            let name = String(word[..<sign])
            guard values[name] == nil else { throw failure("setting '\(name)' is given twice") }
            values[name] = try value(name, String(word[word.index(after: sign)...]))
        }
        guard !command.isEmpty else { return values }
        guard let setting = card.settings.first(where: { $0.kind == .words }) else {
            throw failure("card '\(card.name)' takes no command after --")
        }
        values[setting.name] = .words(command)
        return values
    }

    private func value(_ name: String, _ text: String) throws(CommandFailure) -> SettingValue {
        guard let setting = card.settings.first(where: { $0.name == name }) else {
            let names = card.settings.map(\.name)
            let known = names.isEmpty ? "it has none" : "it has " + names.joined(separator: ", ")
            throw failure("card '\(card.name)' has no setting '\(name)'; \(known)")
        }
        switch setting.kind {
        case .words: throw failure("'\(name)' is a command; give its words after --")
        case .directory:
            do {
                return .text(try Surroundings.absolutePath(text))
            } catch {
                throw failure("setting '\(name)': '\(text)': \(error.reason)")
            }
        case .string, .integer, .choice: return .text(text)
        }
    }

    private func failure(_ problem: String) -> CommandFailure {
        CommandFailure(
            .usage, "cannot connect '\(connection)': \(problem)",
            hint: "see `corral cards \(card.name)`")
    }
}
