internal import Control
internal import Glibc
internal import Kernel
internal import SupervisorProtocol

/// A command that a corrald of this run's own runs: root needs no daemon for it.
final class OwnRunner: Runner {
    private let supervisor: Child
    private let link: Descriptor
    private let action: String
    private var sandbox: UInt64 = 0
    private let refusals = OwnRefusals()

    /// Starts a corrald that serves this process alone and runs `name`, with the words that tell
    /// it its policies.
    init(_ words: [String], running name: String) throws(CommandFailure) {
        action = "run '\(name)'"
        do throws(KernelError) {
            let pair = try Socket.seqpacketPair()
            supervisor = try Child.spawn(
                try Self.program(), arguments: ["--run-fd", "3"] + words,
                environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"],
                descriptors: [pair.theirs.raw])
            link = pair.keepOurs()
        } catch {
            throw CommandFailure(.notRun, "cannot start corrald: \(error)")
        }
        try send(.hello(version: SupervisorProtocol.Limit.version))
        guard case .hello(SupervisorProtocol.Limit.version)? = try receive()?.event else {
            throw CommandFailure(
                .notRun, "cannot start corrald: it is of another version than this command")
        }
    }

    var raw: CInt { link.raw }

    /// corrald is this program's neighbour, or where `make install` puts it.
    private static func program() throws(KernelError) -> String {
        let own = try System.executable()
        let directory = String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)])
        let beside = directory + "/corrald"
        if try Files.status(beside) != nil { return beside }
        return directory + "/../libexec/corral/corrald"
    }

    func start(_ params: Run.Params) throws(CommandFailure) -> RunStreams {
        let request = Request.run(
            Request.Run(
                id: 1, user: 0, policy: params.policy, directory: params.directory,
                mounts: params.mounts.map { .init(path: $0.path, writable: $0.writable) },
                allow: params.allow, command: params.command,
                environment: params.environment.map { .init(name: $0.name, value: $0.value) }))
        guard request.isSendable else {
            throw CommandFailure(
                .notRun, "cannot \(action): its words and variables are too long",
                hint: "at most 512 words and variables, and 64 KiB in all")
        }
        try send(request)
        while let (event, descriptors) = try receive() {
            switch event {
            case .started(_, let sandbox, _):
                self.sandbox = sandbox
                return try streams(descriptors)
            case .refused(_, let refusal):
                let status: CommandStatus =
                    refusal.step == "execute" ? .ofExecute(errno: refusal.errno) : .notRun
                throw CommandFailure(status, refusal.message)
            default: keep(event, descriptors)
            }
        }
        throw gone
    }

    /// The command's three, without its pidfd: corrald tells how it ends.
    private func streams(_ raw: [CInt]) throws(CommandFailure) -> RunStreams {
        for number in raw.dropFirst(3) { _ = Descriptor(owning: number) }
        guard let streams = RunStreams(Array(raw.prefix(3))) else { throw gone }
        return streams
    }

    func news(isReady: Bool) throws(CommandFailure) -> RunEnded? {
        guard isReady else { return nil }
        guard let (event, descriptors) = try receive() else { throw gone }
        keep(event, descriptors)
        guard case .exited(sandbox, let ending) = event else { return nil }
        return RunEnded(
            run: 1, status: Int(ending.status), signal: Int(ending.signal), limits: ending.limits,
            network: refusals.lines())
    }

    /// Takes what comes beside an event: the gateway's way to tell what it refuses.
    private func keep(_ event: Event, _ descriptors: [CInt]) {
        for number in descriptors {
            let descriptor = Descriptor(owning: number)
            if event == .egress { refusals.listen(to: descriptor) }
        }
    }

    func signal(_ number: CInt) throws(CommandFailure) {
        try send(.signal(sandbox: sandbox, number: number))
    }

    func finish() {
        do throws(KernelError) {
            // It ends when nobody asks any more, and has removed everything when it has ended.
            try Socket.endWriting(link.raw)
            while try supervisor.reap() == nil {
                _ = try poll([Interest(supervisor.pidfd.raw, readable: true)], milliseconds: nil)
            }
        } catch {
            // It has ended already, and its sweeper removes what it left.
        }
    }

    private var gone: CommandFailure {
        CommandFailure(.notRun, "cannot \(action): corrald has ended; what it said is above")
    }

    private func send(_ request: Request) throws(CommandFailure) {
        guard let bytes = request.encoded() else { return }
        do throws(KernelError) {
            try Socket.send(bytes, over: link.raw)
        } catch {
            throw gone
        }
    }

    /// The next event with its descriptors, which the caller owns; nil at the end.
    private func receive() throws(CommandFailure) -> (event: Event, descriptors: [CInt])? {
        do {
            let datagram = try Socket.receive(
                limit: SupervisorProtocol.Limit.messageBytes,
                descriptors: SupervisorProtocol.Limit.descriptors, over: link.raw)
            guard let datagram, !datagram.bytes.isEmpty else { throw gone }
            return (try Event(decoding: datagram.bytes), datagram.descriptors)
        } catch {
            throw gone
        }
    }
}
