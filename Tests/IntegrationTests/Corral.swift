import Glibc
import JSONRPC
import Kernel
import Synchronization

/// A Corral of its own for one test: programs, configuration, state and socket below one directory,
/// sandbox users from a range of its own. Whatever the test does, nothing of it is left.
final class Corral {
    let directory: String
    let socket: String
    /// The users of its sandboxes, by which they are found in /proc.
    let users: ClosedRange<UInt32>
    private var supervisor: Child?
    private var runs = 0

    private static let usersEach: UInt32 = 64
    private static let made = Atomic<UInt32>(0)

    /// What corrald is started by, such as a program that takes rights away first.
    private let starter: [String]

    /// Makes the directory and the configuration; `change` may edit files below `etc` before start.
    init(
        startedBy starter: [String] = [], _ change: (String) throws -> Void = { _ in }
    ) throws {
        self.starter = starter
        let number = Self.made.add(1, ordering: .relaxed).newValue
        directory = "/tmp/corral-test.\(getpid()).\(number)"
        socket = directory + "/run/control.sock"
        let first = 2_110_000_000 + UInt32(getpid() % 1000) * 6400 + number * Self.usersEach
        users = first...(first + Self.usersEach - 1)
        try Files.makeDirectory(directory, mode: 0o711)
        try Files.makeDirectory(directory + "/files", mode: 0o755)
        try install()
        try configure()
        try change(directory + "/etc")
        try start()
    }

    deinit {
        // A test that failed half-way must not disturb the next one; its failure is told already.
        try? stop()
        try? Files.removeTree(directory)
    }

    /// Copies the programs: the broker's user may not be allowed to reach the build directory.
    private func install() throws {
        for path in ["bin", "etc"] { try Files.makeDirectory("\(directory)/\(path)", mode: 0o755) }
        for program in ["corrald", "corral-broker", "corral-egress", "corral-launch", "corral"]
        where Host.exists("\(Host.built)/\(program)") {
            try copy("\(Host.built)/\(program)", to: "\(directory)/bin/\(program)")
        }
        try copy("\(Host.top)/policies", to: directory + "/etc/policies")
        try copy("\(Host.top)/runcards", to: directory + "/etc/runcards")
        try copy(
            "\(Host.top)/Tests/IntegrationTests/Servers/faulty_server.py",
            to: directory + "/files/faulty_server.py")
    }

    private func copy(_ source: String, to target: String) throws {
        let done = try Command.run(["/bin/cp", "-R", source, target], files: directory + "/copy")
        guard done.status == 0 else { throw HarnessError(done.err) }
    }

    private func configure() throws {
        let text = """
            version: 1
            state: \(directory)/state
            runtime: \(directory)/run
            policies: \(directory)/etc/policies
            runcards: \(directory)/etc/runcards
            sandbox_uids: {first: \(users.lowerBound), count: \(users.count)}

            """
        try Self.write(text, to: directory + "/etc/corrald.yaml")
        // root may read everything, so what its tools see has to be typed: this directory only.
        let access = """
            version: 1
            allow:
              - {users: [root], cards: ["*"], commands: true, directories: [\(directory)]}

            """
        try Self.write(access, to: directory + "/etc/policies/access.yaml")
    }

    /// Lets no sandbox of the shipped policy wait, for tests that count the others.
    static func letNoneWait(_ etc: String) throws {
        let path = etc + "/policies/default.yaml"
        let text = try Files.text(path)
        guard text.contains("\nwarm: 1 ") else { throw HarnessError("no warm: 1 in \(path)") }
        try write(text.replacing("\nwarm: 1 ", with: "\nwarm: 0 "), to: path)
    }

    /// Writes a file of the test's own, in place of one that may be there.
    static func write(_ text: String, to path: String) throws {
        let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        try file.write(Array(text.utf8), to: path)
    }
}

extension Corral {
    /// Starts corrald and waits until its socket takes connections.
    func start() throws {
        let child = try Command.start(
            starter + ["\(directory)/bin/corrald", "--config", directory + "/etc/corrald.yaml"],
            files: directory + "/corrald")
        let ready = try eventually(milliseconds: Patience.ready) {
            if try child.reap() != nil { throw HarnessError("corrald ended: \(try log())") }
            return (try? Socket.connect(to: socket)) != nil
        }
        guard ready else { throw HarnessError("corrald made no socket: \(try log())") }
        supervisor = consume child
    }

    /// Ends corrald as systemd would, and waits for it.
    func stop() throws {
        try end(SIGTERM)
    }

    /// Ends corrald as nobody should.
    func killSupervisor() throws {
        try end(SIGKILL)
    }

    private func end(_ signal: CInt) throws {
        guard let running = supervisor.take() else { return }
        try running.signal(signal)
        guard try Command.wait(for: running, milliseconds: Patience.answer) != nil else {
            try running.signal(SIGKILL)
            _ = try Command.wait(for: running, milliseconds: Patience.answer)
            throw HarnessError("corrald did not end: \(try log())")
        }
    }

    /// corrald's pid.
    func pid() throws -> Int32 {
        switch supervisor {
        case .some(let child): child.pid
        case .none: throw HarnessError("corrald does not run")
        }
    }

    /// What corrald and the broker have logged.
    func log() throws -> String {
        try Files.text(directory + "/corrald.err", limit: 1 << 20)
    }

    /// Runs the corral command against this Corral.
    func corral(_ words: String...) throws -> Output {
        try corral(words)
    }

    /// Runs the corral command against this Corral.
    func corral(_ words: [String]) throws -> Output {
        runs += 1
        return try Command.run(
            ["\(directory)/bin/corral", "--socket", socket] + words,
            files: "\(directory)/command.\(runs)")
    }

    /// Connects the misbehaving server in one of its modes.
    func connectFaulty(_ name: String, mode: String = "normal") throws -> Output {
        try corral(
            "--json", "connect", "custom", "--name", name, "--set", "files=\(directory)/files",
            "--", "/usr/bin/python3", "\(directory)/files/faulty_server.py", mode)
    }
}
