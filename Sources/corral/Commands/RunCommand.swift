internal import ArgumentParser
internal import Control
internal import Glibc
internal import Kernel

/// `corral run`: any command in the sandbox that servers get.
struct RunCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run any command in the sandbox of a policy.",
        discussion: """
            corral run --policy default -- python3 -c 'print("hello")'
            corral run --policy default --mount .:rw -- make test
            corral run --policy default --allow example.com:443 -- curl https://example.com
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
            "A destination, of those that the policy allows; without any, all of them.",
            valueName: "host:port"))
    var allowed: [String] = []

    @Flag(help: "Run it without a daemon, as root, where a mount needs no access rule.")
    var standalone = false

    @Option(
        help: ArgumentHelp(
            "corrald's configuration, for --standalone; usually /etc/corral/corrald.yaml.",
            valueName: "file"), completion: .file())
    var config: String?

    @Option(
        help: ArgumentHelp("A directory of policies in its place.", valueName: "directory"),
        completion: .directory)
    var policies: String?

    @Argument(
        parsing: .captureForPassthrough, help: "The command and its arguments, after -- or not.")
    var command: [String]

    func run() throws {
        let params = try params(RunWords())
        ignoreBrokenPipes()
        do throws(KernelError) {
            // A stream that is closed must not become somebody's socket.
            try Identity.sealDescriptors()
        } catch {
            throw CommandFailure(.notRun, "cannot run '\(name)': \(error)")
        }
        let runner = try runner()
        let text: RunText
        do throws(CommandFailure) {
            text = RunText(name: name, try run(params, runner))
        } catch {
            runner.finish()
            throw error
        }
        runner.finish()
        try Console.shared.complain(text.complaint)
        Surroundings.leave(text.status)
    }

    private func run(
        _ params: Run.Params, _ runner: any Runner
    ) throws(CommandFailure) -> RunEnded {
        let streams = try runner.start(params)
        let session: RunSession
        do throws(KernelError) {
            session = try RunSession(runner, streams, console: .shared)
        } catch {
            throw CommandFailure(.notRun, "cannot run '\(name)': \(error)")
        }
        return try session.run()
    }

    /// The command's words without the `--` before them.
    private var words: [String] { command.first == "--" ? Array(command.dropFirst()) : command }
    private var name: String { words.first ?? "" }

    /// What is asked, as far as it makes sense.
    func params(_ typed: RunWords) throws(CommandFailure) -> Run.Params {
        guard !words.isEmpty else {
            throw CommandFailure(.notRun, "cannot run '': there is no command")
        }
        guard command.first == "--" || !name.hasPrefix("-") else {
            throw CommandFailure(
                .notRun, "cannot run '\(name)': there is no such option",
                hint: "put '--' before a command that begins with '-'")
        }
        var params = Run.Params(policy: policy, command: words, directory: typed.directory)
        for word in allowed { params.allow.append(try typed.destination(word)) }
        for word in mounts { params.mounts.append(try typed.mount(word)) }
        for word in variables { params.environment.append(try typed.variable(word)) }
        return params
    }

    /// The daemon; for root without one, and where that was asked for, a corrald of this run's own.
    private func runner() throws(CommandFailure) -> any Runner {
        if standalone { return try OwnRunner(try ownWords(), running: name) }
        guard config == nil, policies == nil else {
            throw CommandFailure(
                .notRun, "cannot run '\(name)': --config and --policies are for --standalone",
                hint: "the daemon has read its own")
        }
        do throws(KernelError) {
            return DaemonRunner(socket: try Socket.connect(to: global.socket))
        } catch {
            let nobodyListens = error.errno == ENOENT || error.errno == ECONNREFUSED
            guard nobodyListens, Identity.uid == 0, global.givenSocket == nil else {
                throw ControlClient.unreachable(global.socket, error).asRun
            }
            return try OwnRunner([], running: name)
        }
    }

    /// What tells a corrald of this run's own where its policies are.
    private func ownWords() throws(CommandFailure) -> [String] {
        guard config == nil || policies == nil else {
            throw CommandFailure(
                .notRun, "cannot run '\(name)': --config and --policies exclude each other")
        }
        guard let path = config ?? policies else { return [] }
        do throws(KernelError) {
            return [config == nil ? "--policies" : "--config", try Surroundings.absolutePath(path)]
        } catch {
            throw CommandFailure(.notRun, "cannot use '\(path)': \(error.reason)")
        }
    }
}
