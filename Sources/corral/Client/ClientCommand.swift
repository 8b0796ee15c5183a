internal import ArgumentParser
internal import Control
internal import JSONRPC

/// A subcommand that knows the global options.
protocol ClientCommand: ParsableCommand {
    /// What every subcommand takes.
    var global: GlobalOptions { get }
}

extension ClientCommand {
    /// A connection to the daemon.
    func client() throws(CommandFailure) -> ControlClient {
        try ControlClient(path: global.socket)
    }

    /// Prints the answer: as JSON when that was asked for, else in the lines that `text` makes.
    func answer(
        _ json: @autoclosure () -> JSON, _ text: (Screen) -> [String]
    ) throws(CommandFailure) {
        let console = Console.shared
        if global.json {
            try console.print(sanitizedJSON(json().text) + "\n")
        } else {
            try console.print(text(console.screen).map { $0 + "\n" }.joined())
        }
    }
}
