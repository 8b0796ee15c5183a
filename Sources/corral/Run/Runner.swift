internal import Control
internal import Glibc
internal import JSONRPC
internal import Kernel

/// Who runs a command: the daemon, or a corrald of this run's own.
protocol Runner: AnyObject {
    /// Readable when there is news.
    var raw: CInt { get }
    /// Starts the command and takes the ends of its three streams.
    func start(_ params: Run.Params) throws(CommandFailure) -> RunStreams
    /// What has been told: how the command ended; nil when it has not. `isReady` says that there is
    /// something to take.
    func news(isReady: Bool) throws(CommandFailure) -> RunEnded?
    /// Passes a signal on.
    func signal(_ number: CInt) throws(CommandFailure)
    /// Waits until nothing is left of the command.
    func finish()
}

/// This side's ends of a command's three streams.
struct RunStreams: ~Copyable {
    /// Where its standard input is written.
    let input: Descriptor
    /// Where its standard output is read.
    let output: Descriptor
    /// Where its standard error is read.
    let errors: Descriptor

    /// Takes three descriptors over; nil, and none of them open, when there are not three.
    init?(_ raw: [CInt]) {
        guard raw.count == 3 else {
            for number in raw { _ = Descriptor(owning: number) }
            return nil
        }
        input = Descriptor(owning: raw[0])
        output = Descriptor(owning: raw[1])
        errors = Descriptor(owning: raw[2])
    }
}

/// A command that the daemon runs.
final class DaemonRunner: Runner {
    private let client: ControlClient
    private var action = "run the command"
    private var run = 0

    /// Takes over a connected socket.
    init(socket: consuming Descriptor) {
        client = ControlClient(socket: socket, descriptors: 3)
    }

    var raw: CInt { client.raw }

    func start(_ params: Run.Params) throws(CommandFailure) -> RunStreams {
        action = "run '\(params.command.first ?? "")'"
        do throws(CommandFailure) {
            run = try client.request(Run.self, params, doing: action).run
        } catch {
            throw error.asRun
        }
        guard let streams = RunStreams(client.takeDescriptors()) else {
            throw CommandFailure(.notRun, "cannot \(action): its streams did not come")
        }
        return streams
    }

    func news(isReady: Bool) throws(CommandFailure) -> RunEnded? {
        if isReady { try client.take(doing: action) }
        while let message = try client.message(doing: action) {
            guard message["method"]?.stringValue == RunEnded.method else { continue }
            do throws(ControlError) {
                let ended = try RunEnded(json: message["params"] ?? .null)
                if ended.run == run { return ended }
            } catch {
                throw CommandFailure(
                    .notRun, "cannot \(action): \(error)",
                    hint: "command and daemon must be of one version; see `corral status`")
            }
        }
        return nil
    }

    func signal(_ number: CInt) throws(CommandFailure) {
        try client.ask(
            RunSignal.method, params: RunSignal.Params(run: run, signal: Int(number)).json,
            doing: action)
    }

    func finish() {
        // The daemon tells the end when nothing is left.
    }
}

extension CommandFailure {
    /// The same, with the status that tells whether the command itself was at fault.
    var asRun: CommandFailure {
        var failure = self
        let data = json["error"]?["data"]
        if data?["step"] == "execute", let errno = data?["errno"]?.intValue {
            failure.status = .ofExecute(errno: Int32(clamping: errno))
        } else {
            failure.status.meansRun()
        }
        return failure
    }
}

extension CommandStatus {
    /// What env(1) and the shells leave with when a program cannot be executed.
    static func ofExecute(errno: Int32) -> CommandStatus {
        errno == ENOENT ? .commandMissing : .notExecutable
    }
}
