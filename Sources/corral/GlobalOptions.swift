internal import ArgumentParser
internal import Kernel

/// What every subcommand takes.
struct GlobalOptions: ParsableArguments {
    /// Where the daemon listens unless something else is said.
    static let standardSocket = "/run/corral/control.sock"

    @Option(
        name: .customLong("socket"),
        help: ArgumentHelp("The daemon's control socket.", valueName: "path"))
    var typedSocket: String?

    @Flag(help: "Print the answer as JSON.")
    var json = false

    /// The socket: as typed, else CORRAL_SOCKET, else the standard one.
    var socket: String { givenSocket ?? Self.standardSocket }

    /// The socket as typed, else CORRAL_SOCKET; nil when neither says anything.
    var givenSocket: String? { typedSocket ?? Surroundings.variable("CORRAL_SOCKET") }

    /// The words with options from before the subcommand moved behind it, where they are declared.
    static func last(in words: [String]) -> [String] {
        var rest = words[...]
        var globals: [String] = []
        while let word = rest.first {
            if word == "--socket", rest.count > 1 {
                globals += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else if word == "--json" || word.hasPrefix("--socket=") {
                globals.append(word)
                rest = rest.dropFirst()
            } else {
                break
            }
        }
        let names = rest.first == "policy" ? 2 : 1
        return rest.prefix(names) + globals + rest.dropFirst(names)
    }
}
