internal import ArgumentParser
internal import Control

/// `corral net`: what sandboxes do on the network, and what was refused.
struct NetCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "net",
        abstract: "Show open connections of your sandboxes, and what was allowed and refused.",
        discussion: """
            Without a connection: of all your servers, commands and installations; root sees \
            everybody's. With -f goes on with each decision as it is made, and again when its \
            connection ends, until it is interrupted. With --json each answer is a line of JSON. \
            `corral why ID` tells the whole story of one.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The connection.")
    var name: String?

    @Option(name: .shortAndLong, help: "How many of the last decisions.")
    var number = ConnectionsNetwork.linesStandard

    @Flag(name: .shortAndLong, help: "Go on with decisions as they are made.")
    var follow = false

    func validate() throws {
        guard (1...ConnectionsNetwork.linesMax).contains(number) else {
            throw ValidationError("-n must be 1 to \(ConnectionsNetwork.linesMax)")
        }
    }

    func run() throws {
        let client = try client()
        let action = name.map { "show the network of '\($0)'" } ?? "show the network"
        let first = try client.request(
            ConnectionsNetwork.self, .init(name: name, lines: number), doing: action)
        try answer(first.json) { NetText.lines(first, $0) }
        var next = first.next
        // The daemon answers when there is something new, or with nothing after a while.
        while follow {
            let news = try client.request(
                ConnectionsNetwork.self,
                .init(name: name, lines: ConnectionsNetwork.linesMax, after: next), doing: action)
            next = news.next
            guard !news.decisions.isEmpty else { continue }
            try answer(news.json) { NetText.decisions(news.decisions, titled: false, $0) }
        }
    }
}

/// `corral why`: the story of one decision.
struct WhyCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Explain why a destination was refused, or allowed.",
        discussion: """
            The id is in the error of a call, in `corral net` and in the daemon's log; its \
            beginning is enough where no other of yours begins so.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The id of the decision.")
    var id: String

    func run() throws {
        let result = try client().request(Why.self, .init(id: id), doing: "explain '\(id)'")
        try answer(result.json) { WhyText.lines(result, $0) }
    }
}

/// `corral reload`: has the daemon read its files anew.
struct ReloadCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have the daemon read policies, run cards and access rules anew (root only).",
        discussion: """
            With a mistake in any file nothing changes, every mistake is told and the exit status \
            is 7. What runs goes on; its network follows the new rules at once.
            """)

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let result = try client().request(
            Reload.self, Empty(), doing: "reload",
            waiting: ControlClient.Waiting(deadline: Limit.reload))
        guard result.mistakes.isEmpty else {
            if global.json {
                try answer(result.json) { _ in [] }
            } else {
                let lines = result.mistakes.map { sanitized($0) }
                let count = "corral: \(lines.count) mistakes: nothing has changed"
                try Console.shared.complain((lines + [count]).map { $0 + "\n" }.joined())
            }
            throw CommandFailure.told(.configuration)
        }
        try answer(result.json) { _ in ["policies, run cards and access rules were read anew"] }
    }
}
