internal import ArgumentParser

/// `corral policy`: the files an admin edits.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Check the files that say what is allowed.",
        subcommands: [PolicyCheckCommand.self])
}
