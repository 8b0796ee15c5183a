public import Configuration
import Glibc
import Kernel
import SupervisorProtocol

/// The place and the user of a supervisor that serves one process of root's: both its own for as
/// long as it or its sweeper lives.
private struct Seat: ~Copyable {
    let settings: Settings
    let uid: UInt32
    let instance: Instance

    /// The first of the range that nobody has.
    static func take(_ settings: Settings) throws(SupervisorError) -> Seat {
        let base = settings.runtime + "-run"
        for uid in settings.sandboxUIDs.alone {
            guard let lock = try lock(uid, base) else { continue }
            var own = settings
            own.state = "\(base)/\(uid)"
            own.runtime = own.state
            let name: String
            do throws(KernelError) {
                try Files.removeTree(own.state)
                try Files.makeDirectory(own.state, mode: 0o755)
                name = try Instance.name(of: base) + "-\(uid)"
            } catch {
                throw unusable(base, error)
            }
            return Seat(
                settings: own, uid: uid, instance: try Instance(own, name: name, lock: lock))
        }
        throw SupervisorError(
            "use", base, "take-place", "all \(settings.sandboxUIDs.alone.count) places are taken",
            hint: "wait for a command to end, or start corrald and leave --standalone out")
    }

    /// The lock on a user; nil when somebody has it. Its file stays where it is: one that is
    /// removed could be locked twice.
    private static func lock(
        _ uid: UInt32, _ base: String
    ) throws(SupervisorError) -> Descriptor? {
        do throws(KernelError) {
            try Files.makeDirectories(base, mode: 0o700)
            let lock = try Descriptor.open("\(base)/\(uid).lock", O_RDWR | O_CREAT, mode: 0o600)
            guard try lock.lockExclusively() else { return nil }
            return lock
        } catch {
            throw unusable(base, error)
        }
    }

    private static func unusable(_ base: String, _ error: KernelError) -> SupervisorError {
        SupervisorError("use", base, "take-place", error, hint: "is the disk full or read-only?")
    }

    /// Makes a supervisor in it.
    consuming func supervisor(
        _ set: PolicySet, _ journal: Journal, link: consuming Descriptor
    ) throws(SupervisorError) -> Supervisor {
        let startup = try Startup(alone: instance, uid: uid, settings, set: set, journal)
        let supervisor = try Supervisor(settings, set: set, startup)
        supervisor.broker = UnprivilegedProcess(link: link)
        return supervisor
    }
}

extension Supervisor {
    /// What one person who started one command need not read.
    private static let muted: Set = [
        "ready", "run-refused", "stopping", "stopped", "gateway-started", "egress-user-missing",
    ]

    /// A supervisor for one process of root's, which asks over the SOCK_SEQPACKET socket `link`
    /// what a broker would ask: no broker, no store, no control socket, no access rule for root.
    public static func alone(
        _ settings: Settings, set: PolicySet, link: CInt
    ) throws(SupervisorError) -> Supervisor {
        let journal = Journal(muted: muted)
        try Startup.prepareProcess(journal)
        let link = Descriptor(owning: link)
        do throws(KernelError) {
            // A terminal's keys are for the command, and its streams are the asker's.
            try Identity.leaveTerminal()
            try link.setNonblocking(true)
        } catch {
            throw SupervisorError("leave", "the terminal", "startup", error, hint: "report this")
        }
        return try Seat.take(settings).supervisor(set, journal, link: link)
    }

    /// Nobody asks any more: a broker is followed by another, anybody else was the only one.
    func askerLeft() throws(KernelError) {
        guard door == nil else { return }
        try brokerGone()
        try beginStop()
    }

    /// Ends a conversation that makes no sense.
    func endBroker() throws(KernelError) {
        if door == nil { try askerLeft() } else { try broker?.signal(SIGKILL) }
    }
}
