internal import ArgumentParser
internal import Control
internal import Kernel

/// `corral run`: any command in the sandbox that servers get.
struct RunCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run any command in the sandbox of a policy.",
        discussion: """
            corral run --policy default -- python3 -c 'print("hello")'
            corral run --policy default --mount .:rw -- make test
            corral run --policy default --mount /srv/data --env LANG=C -- ./report < in > out

            The exit status is the command's own, 128 and the number of the signal that ended it, \
            or 125 when it could not be run, 126 when it cannot be executed, 127 when it is not \
            there. Signals are passed on. When this process ends, so does the whole sandbox.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: ArgumentHelp("The policy: limits, file system, system calls.", valueName: "name"))
    var policy: String

    @Option(
        name: .customLong("mount"), parsing: .singleValue,
        help: ArgumentHelp(
            "A directory to show at its own path, read-only; with :rw, writable.",
            valueName: "path[:rw]"),
        completion: .directory)
    var mounts: [String] = []

    @Option(
        name: .customLong("env"), parsing: .singleValue,
        help: ArgumentHelp(
            "A variable; none of your own environment comes along.", valueName: "name=value"))
    var variables: [String] = []

    @Option(
        name: .customLong("allow"), parsing: .singleValue,
        help: ArgumentHelp(
            "A destination to open; refused as long as sandboxes have no way out.",
            valueName: "host:port"))
    var allowed: [String] = []

    @Argument(
        parsing: .captureForPassthrough, help: "The command and its arguments, after -- or not.")
    var command: [String]

    func run() throws {
        let params = try params(RunWords())
        ignoreBrokenPipes()
        let ended: RunEnded
        do throws(KernelError) {
            // A stream that is closed must not become somebody's socket.
            try Identity.sealDescriptors()
        } catch {
            throw CommandFailure(.notRun, "cannot run '\(name)': \(error)")
        }
        let runner = try runner()
        let streams = try runner.start(params)
        let session: RunSession
        do throws(KernelError) {
            session = try RunSession(runner, streams, console: .shared)
        } catch {
            throw CommandFailure(.notRun, "cannot run '\(name)': \(error)")
        }
        ended = try session.run()
        let text = RunText(name: name, ended)
        try Console.shared.complain(text.complaint)
        Surroundings.leave(text.status)
    }

    /// The command's words without the `--` before them.
    private var words: [String] { command.first == "--" ? Array(command.dropFirst()) : command }
    private var name: String { words.first ?? "" }

    /// What is asked, as far as it makes sense.
    func params(_ typed: RunWords) throws(CommandFailure) -> Run.Params {
        guard !words.isEmpty else {
            throw CommandFailure(.notRun, "cannot run '': there is no command")
        }
        for word in allowed { try typed.refuse(allow: word, policy: policy) }
        var params = Run.Params(policy: policy, command: words, directory: typed.directory)
        for word in mounts { params.mounts.append(try typed.mount(word)) }
        for word in variables { params.environment.append(try typed.variable(word)) }
        return params
    }

    private func runner() throws(CommandFailure) -> any Runner {
        do throws(KernelError) {
            return DaemonRunner(socket: try Socket.connect(to: global.socket))
        } catch {
            throw ControlClient.unreachable(global.socket, error)
        }
    }
}
