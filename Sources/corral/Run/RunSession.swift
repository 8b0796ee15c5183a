internal import Control
internal import Glibc
internal import Kernel

/// One command from its start to its end: its streams, its signals, how it ended.
final class RunSession {
    private let runner: any Runner
    private let signals: Signals
    private let flows: [Flow]
    private var ended: RunEnded?

    /// What is passed on. SIGPIPE and SIGCHLD are this process's own, the rest is not for commands.
    private static let forwarded = [
        SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGCONT, SIGTSTP, SIGWINCH,
    ]
    /// Those that end this process once its command has ended and only output is left to write.
    private static let ending: Set = [SIGHUP, SIGINT, SIGQUIT, SIGTERM]

    /// Takes over the command's streams; from here on signals are the command's.
    init(
        _ runner: any Runner, _ streams: consuming RunStreams, console: Console
    ) throws(KernelError) {
        self.runner = runner
        // They are ours alone, so none of them need ever be waited for.
        for raw in [streams.input.raw, streams.output.raw, streams.errors.raw] {
            try Descriptor.setNonblocking(raw)
        }
        flows = [
            Flow(
                from: try console.stream(0), to: try streams.input.duplicate(), ownsSink: true),
            Flow(
                from: try streams.output.duplicate(), to: try console.stream(1), ownsSink: false),
            Flow(
                from: try streams.errors.duplicate(), to: try console.stream(2), ownsSink: false),
        ]
        signals = try Signals(Self.forwarded)
    }

    /// Runs to the end.
    func run() throws(CommandFailure) -> RunEnded {
        ended = try runner.news(isReady: false)
        while true {
            if let ended, flows[1].isOver, flows[2].isOver { return ended }
            do throws(KernelError) {
                try step()
            } catch {
                throw CommandFailure(.notRun, "cannot go on with the command: \(error)")
            }
            try hear()
        }
    }

    private var isReady = false

    /// Waits until something can be done and moves what can be moved.
    private func step() throws(KernelError) {
        let streams = flows.flatMap(\.interests)
        let ready = try poll(
            [
                Interest(signals.raw, readable: true),
                Interest(ended == nil ? runner.raw : -1, readable: true),
            ] + streams, milliseconds: nil)
        isReady = ready[1].readable || ready[1].ended
        for (index, flow) in flows.enumerated() {
            try flow.move(ready[(2 + 2 * index)..<(4 + 2 * index)])
        }
    }

    /// Takes signals and news.
    private func hear() throws(CommandFailure) {
        var received: [CInt] = []
        do throws(KernelError) {
            while let signal = try signals.next() {
                received.append(signal)
            }
        } catch {
            throw CommandFailure(.notRun, "cannot take a signal: \(error)")
        }
        for signal in received {
            if ended == nil {
                try runner.signal(signal)
                // A shell's job control stops this process, as it would the command itself.
                if signal == SIGTSTP { Surroundings.stop() }
            } else if Self.ending.contains(signal) {
                Surroundings.leave(128 + signal)
            }
        }
        guard isReady, ended == nil else { return }
        ended = try runner.news(isReady: true)
        // Nobody reads its input any more.
        if ended != nil { flows[0].stop() }
    }
}
