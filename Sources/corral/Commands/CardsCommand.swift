internal import ArgumentParser
internal import Control

/// `corral cards`: what can be connected.
struct CardsCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "cards", abstract: "List the run cards you may use, or explain one.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "Only this card, in full.")
    var name: String?

    func run() throws {
        let client = try client()
        if let name {
            let card = try client.request(
                CardsGet.self, NameParams(name: name), doing: "show card '\(name)'")
            try answer(card.json) { CardText.explained(card, $0) }
        } else {
            let result = try client.request(CardsList.self, Empty(), doing: "list cards")
            try answer(result.json) { CardText.list(result.cards, $0) }
        }
    }
}
