internal import ArgumentParser
internal import Control

/// `corral test`: is a connection well, now.
struct TestCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Start a connection's server and check it step by step.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The connection.")
    var name: String

    func run() throws {
        let result = try client().request(
            ConnectionsTest.self, NameParams(name: name), doing: "test '\(name)'", waiting: .work)
        try answer(result.json) { TestText.steps(result, $0) }
        guard let failure = result.failure, !global.json else {
            if !result.passed { throw CommandFailure.told(.failed) }
            return
        }
        var told = CommandFailure(failure, doing: "test '\(name)'")
        told.status = .failed
        throw told
    }
}
