internal import Control
internal import Glibc
internal import JSONRPC
internal import Kernel

/// A blocking client of the control socket: one request at a time, MCP's modern era.
final class ControlClient {
    /// What to do while an answer is awaited.
    struct Waiting {
        /// Most time until the answer.
        var deadline: Duration
        /// Called with the text of each progress notification.
        var progress: (String) -> Void = { _ in }
        /// Called again and again, when set, so that a spinner can turn.
        var tick: (() -> Void)?

        /// For what the daemon answers from memory.
        static var answer: Waiting { Waiting(deadline: Limit.answer) }
        /// For what a server has to do.
        static var work: Waiting { Waiting(deadline: Limit.work) }
    }

    private let socket: Descriptor
    private var framer = LineFramer()
    private var lastID = 0
    /// How many descriptors are taken from the daemon; more than that never open here.
    private let descriptorsMax: Int
    private var descriptors: [CInt] = []

    /// Connects to the daemon.
    convenience init(path: String) throws(CommandFailure) {
        do {
            self.init(socket: try Socket.connect(to: path))
        } catch {
            throw Self.unreachable(path, error)
        }
    }

    /// Takes over a connected socket.
    init(socket: consuming Descriptor, descriptors: Int = 0) {
        self.socket = socket
        descriptorsMax = descriptors
    }

    deinit {
        for number in descriptors { _ = Descriptor(owning: number) }
    }

    /// Nobody listens there, or not for this user.
    static func unreachable(_ path: String, _ error: KernelError) -> CommandFailure {
        CommandFailure(
            .unreachable, "cannot reach the daemon at '\(path)': \(error.reason)",
            hint: hint(error))
    }

    /// The socket, for poll(2).
    var raw: CInt { socket.raw }

    /// The descriptors that have come, which the caller now owns.
    func takeDescriptors() -> [CInt] {
        defer { descriptors = [] }
        return descriptors
    }

    /// The bytes that the daemon has sent beyond the last answer.
    var unread: [UInt8] { framer.bytes.suffix(framer.pendingBytes) }

    /// A number of its own for the socket, for whoever carries on with it.
    func duplicate() throws(KernelError) -> Descriptor {
        try socket.duplicate()
    }

    /// What a person can do about a failed connect.
    static func hint(_ error: KernelError) -> String {
        switch error.errno {
        case EACCES, EPERM:
            "your user must be in the group that owns the socket (usually corral)"
        case ENOENT, ECONNREFUSED:
            "is corrald running? See `systemctl status corrald`, or give --socket PATH"
        default: "give the right path with --socket PATH"
        }
    }

    /// Calls one of Corral's own methods.
    func request<Method: ControlMethod>(
        _ method: Method.Type, _ params: Method.Params, doing action: String,
        waiting: Waiting = .answer
    ) throws(CommandFailure) -> Method.Result {
        let result = try request(
            Method.method, params: params.json, doing: action, waiting: waiting)
        do throws(ControlError) {
            return try Method.Result(json: result)
        } catch {
            throw CommandFailure(
                .unreachable, "cannot \(action): the daemon's answer: \(error)",
                hint: "command and daemon must be of one version; see `corral status`")
        }
    }

    /// Sends a request and waits for its result; an error answer becomes a failure.
    func request(
        _ method: String, params: JSON, doing action: String, waiting: Waiting
    ) throws(CommandFailure) -> JSON {
        try ask(method, params: params, doing: action)
        let answer = try awaitAnswer(to: lastID, doing: action, waiting)
        if let result = answer["result"] { return result }
        let failure: Failure
        do throws(ControlError) {
            failure = try Failure(json: answer["error"] ?? .null)
        } catch {
            throw broken(action, error.description)
        }
        throw CommandFailure(failure, doing: action)
    }

    /// Sends a request; its answer is for whoever reads the messages.
    func ask(_ method: String, params: JSON, doing action: String) throws(CommandFailure) {
        lastID += 1
        var params = params
        params["_meta"] = Self.envelope(token: lastID)
        let request: JSON = [
            "jsonrpc": "2.0", "id": .integer(lastID), "method": .string(method), "params": params,
        ]
        try send(request.serialized() + [0x0A], doing: action)
    }

    /// The next message that has come whole; nil when more has to be taken first.
    func message(doing action: String) throws(CommandFailure) -> JSON? {
        guard let line = framer.next() else { return nil }
        return try parse(line, doing: action)
    }

    /// What MCP's modern era wants in every request.
    private static func envelope(token: Int) -> JSON {
        [
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": [:],
            "io.modelcontextprotocol/clientInfo": [
                "name": "corral", "version": .string(Release.version),
            ],
            "progressToken": .integer(token),
        ]
    }

    private func send(_ bytes: [UInt8], doing action: String) throws(CommandFailure) {
        var rest = bytes[...]
        do {
            while !rest.isEmpty {
                rest = rest.dropFirst(try Socket.sendNow(rest, over: socket.raw))
                if !rest.isEmpty {
                    _ = try poll([Interest(socket.raw, writable: true)], milliseconds: nil)
                }
            }
        } catch {
            throw broken(action, error.reason)
        }
    }

    /// Reads messages until the answer to `id` is among them.
    private func awaitAnswer(
        to id: Int, doing action: String, _ waiting: Waiting
    ) throws(CommandFailure) -> JSON {
        let end = ContinuousClock.now.advanced(by: waiting.deadline)
        while true {
            while let line = framer.next() {
                let message = try parse(line, doing: action)
                if message["id"]?.intValue == id { return message }
                note(message, token: id, waiting)
            }
            try read(until: end, doing: action, waiting)
        }
    }

    private func parse(
        _ line: LineFramer.Line, doing action: String
    ) throws(CommandFailure) -> JSON {
        guard case .line(let range) = line else { throw broken(action, "a line is too long") }
        do {
            return try JSON.parse(Array(framer.bytes[range]))
        } catch {
            throw broken(action, error.description)
        }
    }

    private func note(_ message: JSON, token: Int, _ waiting: Waiting) {
        guard message["method"] == "notifications/progress",
            message["params"]?["progressToken"]?.intValue == token,
            let text = message["params"]?["message"]?.stringValue
        else { return }
        waiting.progress(text)
    }

    /// Waits for bytes and takes them; ticks on the way.
    private func read(
        until end: ContinuousClock.Instant, doing action: String, _ waiting: Waiting
    ) throws(CommandFailure) {
        let left = ContinuousClock.now.duration(to: end)
        guard left > .zero else {
            throw CommandFailure(
                .timedOut, "cannot \(action): no answer within \(waiting.deadline)",
                hint: "see `corral status`")
        }
        let milliseconds = max(1, Int(left / .milliseconds(1)))
        let wait =
            waiting.tick == nil ? milliseconds : min(milliseconds, Limit.spinnerMilliseconds)
        do {
            let ready = try poll([Interest(socket.raw, readable: true)], milliseconds: wait)
            waiting.tick?()
            guard ready[0].readable || ready[0].ended else { return }
        } catch {
            throw broken(action, error.reason)
        }
        try take(doing: action)
    }

    /// Takes what has come, which poll(2) has told.
    func take(doing action: String) throws(CommandFailure) {
        do {
            guard
                let part = try Socket.receive(
                    limit: Limit.chunkBytes, descriptors: descriptorsMax, over: socket.raw)
            else { return }
            descriptors += part.descriptors
            if !part.bytes.isEmpty { return framer.append(part.bytes) }
        } catch {
            throw broken(action, error.reason)
        }
        throw broken(action, "the daemon closed the connection")
    }

    private func broken(_ action: String, _ cause: String) -> CommandFailure {
        CommandFailure(
            .unreachable, "cannot \(action): \(cause)",
            hint: "see `corral status`, and the daemon's log if it comes again")
    }
}
