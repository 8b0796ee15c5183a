internal import Control

/// How the command ends; scripts rely on these numbers.
enum CommandStatus: Int32, CaseIterable {
    /// All went well.
    case success = 0
    /// What was asked for failed: a tool's error, a test that did not pass.
    case failed = 1
    /// The words typed make no sense.
    case usage = 2
    /// A rule or limit refuses it.
    case refused = 3
    /// There is no such connection, card or tool.
    case notFound = 4
    /// The daemon cannot be reached or cannot work.
    case unreachable = 5
    /// It took too long.
    case timedOut = 6
    /// A configuration file has mistakes.
    case configuration = 7
    /// `corral run` could not run the command.
    case notRun = 125
    /// `corral run`: the command is no program, or may not be executed.
    case notExecutable = 126
    /// `corral run`: there is no such command in the sandbox.
    case commandMissing = 127

    /// One phrase for the documentation.
    var meaning: String {
        switch self {
        case .success: "it went well"
        case .failed: "what was asked for failed: a tool's error, a test that did not pass"
        case .usage: "the words typed make no sense, or a setting or credential is missing"
        case .refused: "a rule or a limit refuses it"
        case .notFound: "there is no such connection, card, tool or decision"
        case .unreachable: "the daemon cannot be reached or cannot work"
        case .timedOut: "it took too long"
        case .configuration: "a configuration file has mistakes"
        case .notRun: "`corral run` could not run the command, whatever the reason"
        case .notExecutable: "`corral run`: the command cannot be executed"
        case .commandMissing: "`corral run`: the command is not there, inside the sandbox"
        }
    }

    /// The status for an error of the daemon.
    init(_ failure: Failure) {
        if let known = failure.known {
            self.init(known)
        } else {
            self = failure.code == MCPErrorCode.invalidParams ? .usage : .failed
        }
    }

    /// The status for one of Corral's own error codes.
    init(_ code: ErrorCode) {
        switch code {
        case .notAllowed, .limitReached: self = .refused
        case .unknownConnection, .unknownCard, .unknownDecision: self = .notFound
        case .badSetting, .missingCredential: self = .usage
        case .timeout: self = .timedOut
        case .supervisorUnavailable, .shuttingDown, .networkUnavailable: self = .unreachable
        case .connectionExists, .notRunning, .installFailed, .startFailed, .toolExited,
            .memoryExceeded,
            .pidsExceeded, .cpuExceeded, .networkDenied, .invalidOutput, .outputTooLarge,
            .cancelled, .busy, .storeFailed, .fileSizeExceeded, .lifeExceeded:
            self = .failed
        }
    }
}

extension CommandStatus {
    /// A command's own status must be told from Corral's failures, which have three of their own.
    mutating func meansRun() {
        switch self {
        case .success, .notExecutable, .commandMissing: return
        default: self = .notRun
        }
    }
}

/// The codes of JSON-RPC that the command tells apart.
enum MCPErrorCode {
    /// Wrong params; MCP also answers it for a tool that does not exist.
    static let invalidParams = -32602
}
