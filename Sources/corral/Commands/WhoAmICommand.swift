internal import ArgumentParser
internal import Control

/// `corral whoami`: who the daemon takes the caller for.
struct WhoAmICommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "whoami", abstract: "Show who the daemon takes you for and what you may do.")

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let result = try client().request(Whoami.self, Empty(), doing: "ask who you are")
        try answer(result.json) { StatusText.lines(result, $0) }
    }
}
