internal import Control
internal import MCP
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
            "cannot call '\(printable(tool))' of '\(connection.name)': no answer came within "
                + "\(durationText(limit)) (call_timeout)")
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
        let how = server.ending?.text ?? "it closed its output"
        var code = ErrorCode.toolExited
        var cause = "its server ended during the call: \(how)"
        if let limit = limits.first {
            code = limit.code
            cause = "its sandbox met a limit: \(limit.text), and its server ended: \(how)"
        } else if server.ending?.signal == Signal.cpuTime {
            code = .cpuExceeded
            cause = "its server used up its processor time: \(how)"
        }
        return Failure(
            code, "cannot call '\(printable(tool))' of '\(connection.name)': \(cause)",
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

/// Signals that tell a cause.
private enum Signal {
    /// SIGXCPU: RLIMIT_CPU was reached.
    static let cpuTime: Int32 = 24
}
