import Broker
import Configuration
import Kernel
import Logging

// The unprivileged half: everything that clients, servers and files say is read here, and nothing
// is started. corrald hands over both sockets and watches.
LoggingSystem.bootstrap(StreamLogHandler.standardError)
var log = Logger(label: "corral-broker")

do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    log.logLevel = options.logLevel
    try Identity.protectMemory()
    try Identity.refuseNewPrivileges()
    // The supervisor writes the filter and closes its end, so the end of the pipe is its end.
    try Identity.filterSystemCalls(
        try Descriptor(owning: options.filter).readAll(limit: 64 << 10, from: "filter"))
    // Before the first thread: every thread inherits that these signals are read, not taken.
    let signals = try Signals([Signal.terminate, Signal.interrupt])
    let end = try EndMark()
    let service = try BrokerService(
        BrokerSettings(
            controlSocket: options.controlSocket, supervisorSocket: options.supervisorSocket,
            state: options.state, policies: try options.loadPolicies(),
            sandboxUsers: options.sandboxUIDs, loadPolicies: { try options.loadPolicies() }),
        log: log, onEnd: { end.set() })
    switch try wait(for: signals, or: end) {
    case .signal:
        log.info("broker stops")
        try service.stop()
    case .supervisorGone:
        // Whatever ran is gone with the supervisor; corrald starts a fresh broker.
        log.notice("broker ends with its supervisor")
        try service.stop(waiting: false)
    }
} catch {
    log.critical("broker failed", metadata: ["cause": "\(error)"])
    Process.exit(1)
}
