internal import Control

/// Run cards in words.
enum CardText {
    /// What `corral cards` prints.
    static func list(_ cards: [Card], _ screen: Screen) -> [String] {
        guard !cards.isEmpty else {
            return ["no run card is open to you; ask an admin (policies/access.yaml)"]
        }
        var table = Table(["NAME", "NEEDS", "DESCRIPTION"])
        for card in cards {
            let settings = card.settings.filter(\.required).map(\.name)
            let credentials = card.credentials.filter(\.required).map(\.name)
            table.add(
                .init(card.name, .bold),
                .init((settings + credentials).joined(separator: ", ")),
                .init(card.description))
        }
        return table.lines(screen)
    }

    /// What `corral cards NAME` prints.
    static func explained(_ card: Card, _ screen: Screen) -> [String] {
        let title = screen.paint(sanitized(card.name), .bold)
        var lines = ["\(title): \(sanitized(card.title)). \(sanitized(card.description))"]
        if !card.settings.isEmpty {
            lines += ["", "settings (--set name=value):"] + settings(card).lines(screen)
        }
        if !card.credentials.isEmpty {
            lines += ["", "credentials (--credential name):"] + credentials(card).lines(screen)
        }
        lines.append("")
        lines.append(
            card.network.isEmpty
                ? "network: none" : "network: " + sanitized(card.network.joined(separator: ", ")))
        return lines
    }

    private static func settings(_ card: Card) -> Table {
        var table = Table(indent: 2)
        for setting in card.settings {
            let kind =
                setting.kind == .choice
                ? setting.choices.joined(separator: "|") : setting.kind.rawValue
            let need = setting.required ? "required" : "default \(setting.standard ?? "none")"
            table.add(.init(setting.name), .init(kind), .init(need), .init(setting.hint, .dim))
        }
        return table
    }

    private static func credentials(_ card: Card) -> Table {
        var table = Table(indent: 2)
        for credential in card.credentials {
            table.add(
                .init(credential.name), .init(credential.required ? "required" : "optional"),
                .init(credential.hint, .dim))
        }
        return table
    }
}
