internal import Control
internal import MCP
internal import NIOCore
internal import Policy
internal import SupervisorProtocol
internal import YAML

/// What was decided about a call, before it was made.
enum CallVerdict {
    case allowed
    case denied(Failure)
}

extension Failure {
    /// The broker is stopping.
    static var shuttingDown: Failure {
        Failure(.shuttingDown, "cannot begin anything new: the daemon is stopping")
    }

    /// Too much is under way.
    static func busy(_ verb: String, _ object: String, _ cause: String) -> Failure {
        let object = sanitized(String(object.prefix(MCP.Limit.exposedNameBytes)))
        return Failure(.busy, "cannot \(verb) '\(object)': \(cause)")
    }

    /// One client has too many requests without an answer.
    static func crowded(_ verb: String, _ object: String) -> Failure {
        busy(verb, object, "\(MCP.Limit.callsPerClient) requests of this client are in flight")
    }

    /// A rule forbids something.
    static func denied(_ verb: String, _ object: String, _ verdict: Verdict) -> Failure {
        let place = verdict.place
        let cause: String
        switch verdict {
        case .allow(let rule, _), .deny(.rule(let rule, _)):
            cause = "\(rule) of \(place.file):\(place.line) refuses it"
        case .deny(.nothingMatches(let file)): cause = "no rule of \(file) allows it"
        }
        return Failure(
            .notAllowed, "cannot \(verb) '\(object)': \(cause)", rule: verdict.rule,
            file: place.file, line: place.line)
    }

    /// A call's answer did not come in time.
    static func late(_ tool: String, _ connection: ManagedConnection) -> Failure {
        let limit = connection.policy.limits.callTimeout.standard
        return Failure(
            .timeout,
            "cannot call '\(printable(tool))' of '\(connection.name)': timeout (\(spaced(limit))): "
                + "no answer came within call_timeout")
    }

    /// A server has failed too often to be tried again now.
    static func circuitOpen(
        _ connection: ManagedConnection, for wait: TimeAmount
    ) -> Failure {
        let seconds = (wait.nanoseconds + 999_999_999) / 1_000_000_000
        return Failure(
            .startFailed,
            "cannot start '\(connection.name)': it has failed \(connection.health.failures) times "
                + "in a row and is not tried again for \(seconds) s",
            hint: "see `corral logs \(connection.name)`; `corral restart \(connection.name)` tries "
                + "at once", log: connection.errorLog)
    }

    /// Whether a start's failure says something about the server.
    var isOfServer: Bool {
        switch known {
        case .startFailed, .timeout, .invalidOutput, .outputTooLarge, .toolExited: true
        default: false
        }
    }

    /// An answer is larger than the policy allows.
    static func tooLarge(_ tool: String, _ connection: ManagedConnection) -> Failure {
        let limit = connection.policy.limits.response
        return Failure(
            .outputTooLarge,
            "cannot hand on the answer of '\(printable(tool))' of '\(connection.name)': it is "
                + "larger than \(limit) bytes (response of policy '\(connection.policy.name)')")
    }

    /// An answer is not one of `tools/call`.
    static func invalid(
        _ problem: ResultTranslation.Problem, _ tool: String, _ connection: ManagedConnection
    ) -> Failure {
        let cause =
            switch problem {
            case .malformed(let cause), .unanswerable(let cause): sanitized(cause)
            }
        return Failure(
            .invalidOutput,
            "cannot hand on the answer of '\(printable(tool))' of '\(connection.name)': \(cause)")
    }

    /// A server ended while a call was in flight.
    static func exited(_ tool: String, _ server: Server, _ limits: [MetLimit]) -> Failure {
        let connection = server.connection
        let met = server.ending.flatMap { $0.limit(connection.policy.limits, limits) }
        let cause: String
        switch (met, server.ending) {
        case (let met?, let ending):
            cause = "\(met.text): its server was ended (\(ending?.text ?? "no status yet"))"
        case (nil, let ending?):
            let how = ending.signal == 0 ? "status \(ending.status)" : ending.text
            cause = "tool_exited (\(how)): its server ended during the call"
        case (nil, nil): cause = "tool_exited (no status yet): its server closed its output"
        }
        return Failure(
            met?.code ?? .toolExited,
            "cannot call '\(printable(tool))' of '\(connection.name)': \(cause)",
            log: server.errorLog)
    }

    /// The supervisor refused a request.
    init(_ refusal: Refusal, log: [String]) {
        let code: ErrorCode =
            switch refusal.code {
            case .notAllowed: .notAllowed
            case .badSetting: .badSetting
            case .install: .installFailed
            case .launch, .host, .unknown: .startFailed
            }
        self.init(code, refusal.message, log: log)
    }

    /// A name that a server or a client chose, for a message.
    private static func printable(_ name: String) -> String {
        sanitized(String(name.prefix(MCP.Limit.toolNameBytes)))
    }
}

extension Ending {
    /// The limit that ended a server; nil when none did.
    fileprivate func limit(_ limits: Policy.Limits, _ met: [MetLimit]) -> MetLimit? {
        let seconds = limits.cpuTime.components.seconds
        let cpu = MetLimit(code: .cpuExceeded, text: "cpu_exceeded (\(spaced(limits.cpuTime)))")
        switch cause {
        case .cpuTime: return cpu
        case .life:
            let life = limits.life.map { " (\(spaced($0)))" } ?? ""
            return MetLimit(code: .lifeExceeded, text: "life_exceeded" + life)
        case .none: break
        }
        if let first = met.first { return first }
        switch signal {
        case Signal.cpuTime: return cpu
        // Sent a second after the first to a process that does not listen to it.
        case Signal.kill where usage.cpuMicroseconds >= UInt64(seconds) * 1_000_000: return cpu
        case Signal.fileSize:
            let size = spacedSize(limits.fileSize)
            return MetLimit(code: .fileSizeExceeded, text: "file_size_exceeded (\(size))")
        default: return nil
        }
    }
}

/// Seconds as an error tells them: `30 s`, `1500 ms`.
private func spaced(_ duration: Duration) -> String {
    let milliseconds = duration.wholeMilliseconds
    return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
}

/// A size as an error tells it: `64 MiB`.
private func spacedSize(_ bytes: Int) -> String {
    let text = sizeText(bytes)
    let digits = text.prefix { $0.isNumber }
    let unit = text.dropFirst(digits.count)
    return "\(digits) \(unit.isEmpty ? "bytes" : String(unit))"
}

/// Signals that tell a cause.
private enum Signal {
    /// SIGXCPU: RLIMIT_CPU was reached.
    static let cpuTime: Int32 = 24
    /// SIGXFSZ: RLIMIT_FSIZE was reached.
    static let fileSize: Int32 = 25
    /// SIGKILL.
    static let kill: Int32 = 9
}
