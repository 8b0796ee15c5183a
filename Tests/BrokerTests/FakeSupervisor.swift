import Kernel
import NIOPosix
import SupervisorProtocol
import Synchronization
import Testing

/// The supervisor's end of the link, with threads for servers.
final class FakeSupervisor: Sendable {
    /// What an installation does: the lines of its log, and whether it works.
    struct Installation: Sendable {
        var log: [String] = []
        var works = true
    }

    /// The first row of every posture.
    static let holding = PostureRow(
        group: "namespaces", name: "net", wanted: "its own", found: "net:[1]", ok: true)

    private struct State {
        var servers: [UInt64: FakeServer] = [:]
        var starts: [String: Int] = [:]
        var lastSandbox: UInt64 = 0
        var killed: Set<UInt64> = []
        var commands: [[String]] = []
        var allowed: [[String]] = []
        var signals: [Int32] = []
    }

    private let socket: Descriptor
    private let scripts: [String: FakeServer.Script]
    private let installations: [String: Installation]
    /// What is counted of a card's servers; nothing of one that is not named.
    private let meters: [String: Meters]
    private let threads = NIOThreadPool(numberOfThreads: 24)
    private let state = Mutex(State())
    /// What is wrong with the files when they are read anew.
    let mistakes = Mutex("")
    /// A mark for every start and every end.
    private let changes: Marks

    init(
        owning socket: consuming Descriptor, scripts: [String: FakeServer.Script],
        installations: [String: Installation], meters: [String: Meters]
    ) throws {
        self.socket = socket
        self.meters = meters
        changes = try Marks()
        self.scripts = scripts
        self.installations = installations
        threads.start()
        threads.submit { [self] _ in serve() }
    }

    /// How often a card's server was started.
    func starts(of card: String) -> Int { state.withLock { $0.starts[card] ?? 0 } }

    /// How many servers run.
    var running: Int { state.withLock { $0.servers.count } }

    /// The signals that were asked for, in order.
    var signals: [Int32] { state.withLock { $0.signals } }

    /// The commands that were asked for, in order.
    var commands: [[String]] { state.withLock { $0.commands } }

    /// The destinations that each command was to have.
    var allowed: [[String]] { state.withLock { $0.allowed } }

    /// Gives the broker a gateway.
    func giveGateway() throws -> FakeGateway {
        let pair = try Socket.seqpacketPair()
        send(.egress, [pair.theirs.raw])
        return try FakeGateway(owning: try pair.ours.duplicate())
    }

    /// Says that the files were read anew, as after a signal.
    func tellReloaded() { send(.reloaded(id: 0, mistakes: "")) }

    /// Waits until so many servers and commands run.
    func wait(untilRunning count: Int) {
        while running != count { changes.wait() }
    }

    /// Waits until no server runs, after a card's server was started that often.
    func waitUntilIdle(afterStarts starts: Int = 0, of card: String = "") {
        while running > 0 || self.starts(of: card) < starts { changes.wait() }
    }

    /// Ends the threads, after the broker has closed its end.
    func close() throws { try threads.syncShutdownGracefully() }

    private func serve() {
        do {
            while let datagram = try Socket.receive(
                limit: Limit.messageBytes, descriptors: 0, over: socket.raw),
                !datagram.bytes.isEmpty
            {
                try handle(try Request(decoding: datagram.bytes))
            }
        } catch {
            // The broker is gone.
        }
        do {
            try Socket.endWriting(socket.raw)
        } catch {
            // It is gone altogether.
        }
    }

    private func handle(_ request: Request) throws {
        switch request {
        case .hello(let version): send(.hello(version: version))
        case .reload(let id): send(.reloaded(id: id, mistakes: mistakes.withLock { $0 }))
        case .start(let start): try begin(start)
        case .install(let id, let card): try install(id, card)
        case .kill(let sandbox): try kill(sandbox)
        case .usage(let id, let sandbox):
            guard let server = state.withLock({ $0.servers[sandbox] }) else {
                return send(.refused(id: id, Refusal(code: .unknown, message: "no such sandbox")))
            }
            send(.usage(id: id, server.usage.withLock { $0 }))
        case .posture(let id, let sandbox):
            guard state.withLock({ $0.servers[sandbox] }) != nil else {
                return send(.refused(id: id, Refusal(code: .unknown, message: "no such sandbox")))
            }
            let differs = PostureRow(
                group: "cgroup", name: "pids.max", wanted: "128", found: "max", ok: false)
            send(.posture(id: id, [FakeSupervisor.holding, differs]))
        case .run(let run): try begin(run)
        case .signal(let sandbox, let number):
            state.withLock { $0.signals.append(number) }
            // A server of these tests ignores it, as one may.
            guard number != 15 || state.withLock({ !$0.commands.isEmpty }) else { return }
            guard let server = state.withLock({ $0.servers[sandbox] }) else { return }
            try server.die()
            end(server, server.ending(status: -1, signal: number))
        }
    }

    private func begin(_ start: Request.Start) throws {
        guard let script = scripts[start.card] else {
            let message = "cannot start '\(start.card)': mount-root: No such file or directory"
            return send(
                .refused(
                    id: start.id,
                    Refusal(code: .launch, message: message, step: "mount-root", errno: 2)))
        }
        let (sandbox, earlier) = state.withLock { state in
            state.lastSandbox += 1
            state.starts[start.card, default: 0] += 1
            return (state.lastSandbox, (state.starts[start.card] ?? 1) - 1)
        }
        let server = try started(start.id, sandbox, meters[start.card] ?? Meters())
        threads.submit { [self] _ in
            run(server, script, FakeServer.Start(earlier: earlier, request: start))
        }
    }

    /// Makes a server's pipes and tells the broker that it runs.
    private func started(
        _ id: UInt64, _ sandbox: UInt64, _ meters: Meters
    ) throws -> FakeServer {
        let input = try Pipe()
        let output = try Pipe()
        let errors = try Pipe()
        let process = try Pipe()
        let server = try FakeServer(
            sandbox: sandbox, input: try input.read.duplicate(),
            output: try output.write.duplicate(), errors: try errors.write.duplicate())
        state.withLock { $0.servers[sandbox] = server }
        changes.set()
        send(
            .started(id: id, sandbox: sandbox, meters: meters),
            [input.write.raw, output.read.raw, errors.read.raw, process.read.raw]
                + server.counters.raw(meters))
        return server
    }

    /// A command: `missing` cannot be executed, every other says `ran` and waits for a signal.
    private func begin(_ run: Request.Run) throws {
        state.withLock { state in
            state.commands.append(run.command)
            state.allowed.append(run.allow)
        }
        guard run.command != ["missing"] else {
            let refusal = Refusal(
                code: .launch, message: "cannot run 'missing': execute: No such file or directory",
                step: "execute", errno: 2)
            return send(.refused(id: run.id, refusal))
        }
        let sandbox = state.withLock { state in
            state.lastSandbox += 1
            return state.lastSandbox
        }
        try started(run.id, sandbox, Meters()).write("ran")
    }

    private func run(_ server: FakeServer, _ script: FakeServer.Script, _ start: FakeServer.Start) {
        var ending = server.ending(status: 99)
        do {
            ending = try script(server, start)
        } catch {
            // Status 99 is what the test sees.
        }
        end(server, ending)
    }

    private func kill(_ sandbox: UInt64) throws {
        guard let server = state.withLock({ $0.servers[sandbox] }) else { return }
        try server.die()
        end(server, server.ending(status: -1, signal: 9, requested: true))
    }

    /// Tells the end of a server, once.
    private func end(_ server: FakeServer, _ ending: Ending) {
        server.closeOutput()
        guard state.withLock({ $0.servers.removeValue(forKey: server.sandbox) }) != nil else {
            return
        }
        changes.set()
        send(.exited(sandbox: server.sandbox, ending))
    }

    private func install(_ id: UInt64, _ card: String) throws {
        let installation = installations[card] ?? Installation()
        let log = try Pipe()
        send(.installing(id: id), [log.read.raw])
        try log.write.write(Array(installation.log.map { $0 + "\n" }.joined().utf8))
        guard installation.works else {
            let message = "cannot install '\(card)': pip: exit status 1"
            return send(
                .refused(id: id, Refusal(code: .install, message: message, step: "pip")))
        }
        send(.installed(id: id, fresh: true))
    }

    private func send(_ event: Event, _ descriptors: [CInt] = []) {
        guard let bytes = event.encoded() else { return }
        do {
            try Socket.send(bytes, descriptors: descriptors, over: socket.raw)
        } catch {
            // The broker is gone.
        }
    }
}

/// Marks that one thread sets and another waits for.
final class Marks: Sendable {
    private let pipe: Pipe

    init() throws { pipe = try Pipe() }

    /// Sets a mark.
    func set() {
        do {
            try pipe.write.write([0])
        } catch {
            Issue.record("a mark was lost: \(error)")
        }
    }

    /// Waits for the next mark.
    func wait() {
        do {
            _ = try pipe.read.read(limit: 1)
        } catch {
            Issue.record("a mark was lost: \(error)")
        }
    }
}
