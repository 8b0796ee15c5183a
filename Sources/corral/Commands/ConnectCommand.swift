internal import ArgumentParser
internal import Control

/// `corral connect`: from a run card's name to listed tools.
struct ConnectCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "Install, sandbox and start a tool server from a run card.",
        discussion: """
            corral connect time
            corral connect git --set repository=./project
            corral connect github --name work --credential token
            corral connect custom --name mine -- /usr/bin/my-server --stdio
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The run card; see `corral cards`.")
    var card: String

    @Option(help: "The connection's name, if not the card's.")
    var name: String?

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("A setting of the card.", valueName: "name=value"))
    var settings: [String] = []

    @Option(
        name: .customLong("credential"), parsing: .singleValue,
        help: ArgumentHelp(
            "A credential to ask for, or to read as one line of standard input.",
            valueName: "name"))
    var credentials: [String] = []

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("After --: the command to run, for cards that take one."))
    var command: [String] = []

    func run() throws {
        let name = name ?? card
        let client = try client()
        let card = try client.request(
            CardsGet.self, NameParams(name: card), doing: "connect '\(name)'")
        let params = ConnectionsRegister.Params(
            name: name, card: card.name,
            settings: try SettingWords(card, connection: name).values(settings, command: command),
            credentials: try CredentialPrompt(card, connection: name).values(credentials))
        let connection = try register(params, client)
        try answer(connection.json) { ConnectionText.summary(connection, $0) }
    }

    private func register(
        _ params: ConnectionsRegister.Params, _ client: ControlClient
    ) throws(CommandFailure) -> Connection {
        let console = Console.shared
        let spinner = Spinner("connecting '\(params.name)'", on: console.errorScreen) { text in
            do {
                try console.complain(text)
            } catch {
                // A spinner that nobody sees is no reason to stop.
            }
        }
        defer { spinner.clear() }
        return try client.request(
            ConnectionsRegister.self, params, doing: "connect '\(params.name)'",
            waiting: spinner.waiting)
    }
}
