import Glibc
import JSONRPC
import Kernel
import SupervisorProtocol
import Synchronization
import Testing

/// A server process that is a thread of the test: it reads the lines of its standard input and
/// does what a script says.
final class FakeServer: Sendable {
    /// What a script is told about its start.
    struct Start: Sendable {
        /// How often the card's server was started before.
        let earlier: Int
        let request: Request.Start
    }

    /// What a server does from its start to its end.
    typealias Script = @Sendable (FakeServer, Start) throws -> Ending

    let sandbox: UInt64
    let usage = Mutex(Usage(memoryLimitBytes: 128 << 20, processLimit: 128))
    /// Something to read once the supervisor has killed it.
    private let death: Pipe
    /// What its sandbox would be counted in.
    let counters: Counters
    private let input: Descriptor
    private let output: Mutex<Descriptor?>
    private let errors: Mutex<Descriptor?>
    private let pending = Mutex<[UInt8]>([])

    init(
        sandbox: UInt64, input: consuming Descriptor, output: consuming Descriptor,
        errors: consuming Descriptor
    ) throws {
        death = try Pipe()
        // A writer that waited in the kernel could not be killed: it is no process.
        try output.setNonblocking(true)
        counters = try Counters()
        self.sandbox = sandbox
        self.input = input
        self.output = Mutex(output)
        self.errors = Mutex(errors)
    }

    /// The next line of its input; nil at the end.
    func line() throws -> String? {
        while true {
            let line = pending.withLock { bytes -> String? in
                guard let end = bytes.firstIndex(of: 0x0A) else { return nil }
                defer { bytes.removeSubrange(...end) }
                return String(decoding: bytes[..<end], as: UTF8.self)
            }
            if let line { return line }
            guard let chunk = try input.read(limit: 64 << 10), !chunk.isEmpty else { return nil }
            pending.withLock { $0 += chunk }
        }
    }

    /// The next message; nil at the end.
    func message() throws -> JSON? {
        guard let line = try line() else { return nil }
        let message = try JSON.parse(Array(line.utf8))
        let isModern =
            message["params"]?["_meta"]?["io.modelcontextprotocol/protocolVersion"] != nil
        let specification = Specification.of(isModern ? "2026-07-28" : FakeServer.revision)
        if let specification, let method = message["method"]?.stringValue {
            #expect(specification.knows(method), "the broker sent \(line)")
            #expect(specification.problem(with: message) == nil, "the broker sent \(line)")
        }
        return message
    }

    /// The revision that legacy servers answer with.
    static let revision = "2025-06-18"

    /// Writes to its standard output; waits while nobody reads it, until it is killed.
    func write(_ text: String) {
        output.withLock { descriptor in
            var rest = Array(text.utf8)[...]
            do {
                while let raw = descriptor?.raw {
                    rest = rest.dropFirst(try descriptor?.writeOnce(rest) ?? 0)
                    if rest.isEmpty { return }
                    let ready = try poll(
                        [Interest(raw, writable: true), deathNotice], milliseconds: nil)
                    if ready[1].readable { return }
                }
            } catch {
                // The broker has closed its end: a process would get SIGPIPE now.
            }
        }
    }

    private var deathNotice: Interest { Interest(death.read.raw, readable: true) }

    /// Writes to its standard error.
    func complain(_ text: String) throws {
        try errors.withLock { try $0?.write(Array(text.utf8)) }
    }

    /// Answers a request.
    func answer(_ request: JSON, _ result: JSON) {
        write(
            (["jsonrpc": "2.0", "id": request["id"] ?? nil, "result": result] as JSON).text + "\n")
    }

    /// Answers a request with an error.
    func refuse(_ request: JSON, _ code: Int, _ text: String) {
        let error: JSON = ["code": .integer(code), "message": .string(text)]
        write((["jsonrpc": "2.0", "id": request["id"] ?? nil, "error": error] as JSON).text + "\n")
    }

    /// Sends a notification.
    func notify(_ method: String, _ params: JSON? = nil) {
        var note: JSON = ["jsonrpc": "2.0", "method": .string(method)]
        note["params"] = params
        write(note.text + "\n")
    }

    /// Does nothing at all until it is killed.
    func waitForKill() throws { _ = try poll([deathNotice], milliseconds: nil) }

    /// Ends it, whatever it waits for: what it writes now is lost.
    func die() throws { try death.write.write([0]) }

    /// Closes its output, as its end does.
    func closeOutput() {
        output.withLock { $0 = nil }
        errors.withLock { $0 = nil }
    }

    /// An ending with the figures as they are.
    func ending(status: Int32 = 0, signal: Int32 = 0, requested: Bool = false) -> Ending {
        Ending(
            status: status, signal: signal, requested: requested, usage: usage.withLock { $0 })
    }
}

/// The two files that a cgroup would have: CPU time in nanoseconds, and a memory peak whose first
/// digit becomes 0 when it is set back.
final class Counters: Sendable {
    private let processor: Descriptor
    private let peak: Descriptor

    init() throws {
        func file(_ text: String) throws -> Descriptor {
            let path = "/tmp/corral-broker-counter-\(try System.random(8))"
            let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
            try Files.remove(path)
            try file.write(Array(text.utf8))
            return file
        }
        processor = try file("0000000000000\n")
        peak = try file("10000000\n")
    }

    /// Those that are counted, for passing on.
    func raw(_ meters: Meters) -> [CInt] {
        (meters.processor == .none ? [] : [processor.raw])
            + (meters.peak == .none ? [] : [peak.raw])
    }

    /// Sets the CPU time, which is below 10,000 seconds.
    func setProcessor(microseconds: Int) throws {
        let digits = String(10_000_000_000_000 + microseconds * 1000).dropFirst()
        try write(String(digits), to: processor.raw)
    }

    /// Sets the peak, of eight digits.
    func setPeak(_ bytes: Int) throws { try write(String(bytes), to: peak.raw) }

    private func write(_ text: String, to raw: CInt) throws {
        let bytes = Array(text.utf8)
        // The bytes live until the call returns.
        let done = unsafe bytes.withUnsafeBytes { unsafe pwrite(raw, $0.baseAddress, $0.count, 0) }
        guard done == bytes.count else { throw KernelError("pwrite") }
    }
}

extension FakeServer {
    /// Serves a legacy session: the tools `echo` and whatever else, each call by `call`.
    func serveLegacy(
        tools: [String] = ["echo"], _ call: (FakeServer, JSON) throws -> Ending? = echo
    ) throws -> Ending {
        while let message = try message() {
            if message["method"] == "tools/call" {
                if let end = try call(self, message) { return end }
            } else {
                answerOther(message, tools: tools)
            }
        }
        return ending()
    }

    /// Answers what a legacy session asks beside calls.
    func answerOther(_ message: JSON, tools: [String] = ["echo"]) {
        switch message["method"]?.stringValue {
        case "server/discover": refuse(message, -32601, "Method not found")
        case "initialize":
            answer(
                message,
                [
                    "protocolVersion": .string(FakeServer.revision),
                    "capabilities": ["tools": [:]],
                    "serverInfo": ["name": "fake", "version": "1"],
                ])
        case "tools/list": answer(message, ["tools": FakeServer.definitions(tools)])
        case "ping": answer(message, [:])
        default: break
        }
    }

    /// Serves the modern era.
    func serveModern(
        tools: [String] = ["echo"], _ call: (FakeServer, JSON) throws -> Ending? = echo
    ) throws -> Ending {
        while let message = try message() {
            switch message["method"]?.stringValue {
            case "server/discover":
                answer(
                    message,
                    [
                        "resultType": "complete", "supportedVersions": ["2026-07-28"],
                        "capabilities": ["tools": [:]], "ttlMs": 0, "cacheScope": "private",
                    ])
            case "tools/list":
                answer(
                    message,
                    [
                        "resultType": "complete", "tools": FakeServer.definitions(tools),
                        "ttlMs": 0, "cacheScope": "private",
                    ])
            case "tools/call": if let end = try call(self, message) { return end }
            default: refuse(message, -32601, "Method not found")
            }
        }
        return ending()
    }

    /// Answers a call with its own arguments, as text.
    static func echo(_ server: FakeServer, _ call: JSON) -> Ending? {
        let text = call["params"]?["arguments"]?.text ?? "nothing"
        var result: JSON = ["content": [["type": "text", "text": .string(text)]]]
        if call["params"]?["_meta"]?["io.modelcontextprotocol/protocolVersion"] != nil {
            result["resultType"] = "complete"
        }
        server.answer(call, result)
        return nil
    }

    static func definitions(_ names: [String]) -> JSON {
        .array(
            names.map {
                ["name": .string($0), "description": "does it", "inputSchema": ["type": "object"]]
            })
    }
}
