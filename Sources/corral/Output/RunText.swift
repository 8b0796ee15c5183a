internal import Control

/// How a command ended, for the process that waits and for the person who reads.
struct RunText: Equatable {
    /// What to leave with: the command's own status, or 128 and the signal that ended it.
    let status: Int32
    /// One line for each limit that the sandbox met, and for what the network refused it; empty
    /// when there was nothing of both.
    let complaint: String

    /// Words the end of a command.
    init(name: String, _ ended: RunEnded) {
        let bySignal = ended.signal != 0
        status = Int32(clamping: bySignal ? 128 + ended.signal : ended.status) & 0xff
        let how =
            bySignal
            ? "by \(Self.name(ofSignal: ended.signal))" : "with status \(ended.status)"
        let met = ended.limits.map { "\(name) ended \(how): \($0)" }
        complaint = (ended.network + met).map { "corral: " + sanitized($0) + "\n" }.joined()
    }

    /// The names of signals by number, from 1 (signal(7)).
    private static let signals = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ]

    private static func name(ofSignal number: Int) -> String {
        signals.indices.contains(number - 1) ? "SIG" + signals[number - 1] : "signal \(number)"
    }
}
