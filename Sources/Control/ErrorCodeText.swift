extension ErrorCode {
    /// The name in `data.reason`: `memory_exceeded`.
    public var name: String {
        switch self {
        case .notAllowed: "not_allowed"
        case .unknownConnection: "unknown_connection"
        case .connectionExists: "connection_exists"
        case .unknownCard: "unknown_card"
        case .badSetting: "bad_setting"
        case .missingCredential: "missing_credential"
        case .limitReached: "limit_reached"
        case .notRunning: "not_running"
        case .installFailed: "install_failed"
        case .startFailed: "start_failed"
        case .toolExited: "tool_exited"
        case .timeout: "timeout"
        case .memoryExceeded: "memory_exceeded"
        case .pidsExceeded: "pids_exceeded"
        case .cpuExceeded: "cpu_exceeded"
        case .networkDenied: "network_denied"
        case .invalidOutput: "invalid_output"
        case .outputTooLarge: "output_too_large"
        case .cancelled: "cancelled"
        case .supervisorUnavailable: "supervisor_unavailable"
        case .shuttingDown: "shutting_down"
        case .busy: "busy"
        case .storeFailed: "store_failed"
        case .fileSizeExceeded: "file_size_exceeded"
        case .lifeExceeded: "life_exceeded"
        case .networkUnavailable: "network_unavailable"
        case .unknownDecision: "unknown_decision"
        }
    }

    /// What happened, as one phrase.
    public var meaning: String {
        switch self {
        case .notAllowed: "a rule refuses it"
        case .unknownConnection: "you have no connection of that name"
        case .connectionExists: "you have a connection of that name already"
        case .unknownCard: "no run card of that name is open to you"
        case .badSetting: "a setting is missing, unknown or has a wrong value"
        case .missingCredential: "a credential the card requires was not given"
        case .limitReached: "a limit on connections or sandboxes is reached"
        case .notRunning: "the server of the connection does not run"
        case .installFailed: "the card's packages could not be installed"
        case .startFailed: "the server did not start or did not answer"
        case .toolExited: "the server ended during the call"
        case .timeout: "no answer came before the deadline"
        case .memoryExceeded: "the sandbox used up its memory"
        case .pidsExceeded: "the sandbox used up its processes"
        case .cpuExceeded: "the sandbox used up its processor time"
        case .networkDenied: "the sandbox refused a network connection"
        case .invalidOutput: "the server answered something that is not MCP"
        case .outputTooLarge: "the answer is larger than the policy allows"
        case .cancelled: "the caller cancelled the request"
        case .supervisorUnavailable: "nothing can be started at present"
        case .shuttingDown: "the daemon is stopping"
        case .busy: "too many requests are in flight"
        case .storeFailed: "the store could not be read or written"
        case .fileSizeExceeded: "the server was ended for a file beyond its limit"
        case .lifeExceeded: "the sandbox had run as long as it may"
        case .networkUnavailable: "the way out of sandboxes is gone for the moment"
        case .unknownDecision: "you have no decision about the network of that id"
        }
    }

    /// What to do about it, when the error brings no hint of its own.
    public var hint: String {
        switch self {
        case .notAllowed:
            "ask an admin; the rule named is the one to change"
        case .unknownConnection:
            "see `corral list`"
        case .connectionExists:
            "choose another name with --name, or `corral disconnect` the old one first"
        case .unknownCard:
            "see `corral cards`"
        case .badSetting:
            "see the card's settings in `corral cards NAME`"
        case .missingCredential:
            "give it with --credential NAME"
        case .limitReached:
            "disconnect what you do not use, or ask an admin for a higher limit"
        case .notRunning:
            "a call of one of its tools starts it, or `corral test NAME`"
        case .installFailed:
            "the log says why; an admin checks the lock file and the registry"
        case .startFailed:
            "see `corral logs NAME`, then `corral test NAME`"
        case .toolExited:
            "see `corral logs NAME`; the next call starts it again"
        case .timeout:
            "ask for less in one call, or have call_timeout raised"
        case .memoryExceeded:
            "ask for less in one call, or have limits.memory raised"
        case .pidsExceeded:
            "have limits.processes raised if the tool needs more"
        case .cpuExceeded:
            "the next call starts it afresh; have limits.cpu_time raised if need be"
        case .networkDenied:
            "have the host added to network.allow if the tool needs it"
        case .invalidOutput:
            "see `corral logs NAME`; report it to whoever wrote the server"
        case .outputTooLarge:
            "ask for less in one call, or have limits.response raised"
        case .cancelled:
            "ask again if that was not meant"
        case .supervisorUnavailable:
            "an admin looks at `systemctl status corrald`"
        case .shuttingDown:
            "try again when it is back"
        case .busy:
            "try again in a moment"
        case .storeFailed:
            "an admin looks at the daemon's log and at the disk"
        case .fileSizeExceeded:
            "have limits.file_size raised if the tool needs larger files"
        case .lifeExceeded:
            "call again: it starts afresh; have limits.life raised if need be"
        case .networkUnavailable:
            "try again in a moment; if it stays so, an admin looks at the daemon's log"
        case .unknownDecision:
            "see `corral net`"
        }
    }

    /// The code with this name, or nil.
    public init?(name: String) {
        guard let code = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = code
    }
}
