import Configuration
import Glibc
import Kernel
import SupervisorProtocol

/// A process without privilege that the supervisor talks to while it runs: the broker or the
/// gateway, or, without a broker, the process of root's that asks in its place.
final class UnprivilegedProcess {
    /// Nil when it is not the supervisor's child.
    let child: Child?
    /// The child's pidfd, as it is watched.
    let pidfd: CInt?
    /// The child's pid, for people.
    let pid: Int32?
    /// The way to talk to it.
    let link: Descriptor
    /// When it was started, by the monotonic clock in microseconds.
    let since: UInt64

    init(child: consuming Child, link: consuming Descriptor) {
        pidfd = child.pidfd.raw
        pid = child.pid
        self.child = consume child
        self.link = link
        since = System.monotonicMicroseconds
    }

    /// Somebody who was there before the supervisor, and is not its to end.
    init(link: consuming Descriptor) {
        pidfd = nil
        pid = nil
        child = nil
        self.link = link
        since = System.monotonicMicroseconds
    }

    /// Whether it is the supervisor's child.
    var isOurs: Bool { pidfd != nil }

    /// Sends it a signal, when it is the supervisor's to end.
    func signal(_ number: CInt) throws(KernelError) { try child?.signal(number) }

    /// Takes one datagram of its; nil when none is there, empty at the end of the conversation,
    /// also when it died with our words unread (ECONNRESET); its pidfd tells the rest.
    func receive() throws(KernelError) -> Socket.Datagram? {
        do throws(KernelError) {
            return try Socket.receive(
                limit: SupervisorProtocol.Limit.messageBytes, descriptors: 0, over: link.raw)
        } catch  where error.errno == ECONNRESET {
            return Socket.Datagram(bytes: [], descriptors: [], truncated: false)
        }
    }
}

/// Who a program of ours runs as, and its walls.
struct ProcessSeat {
    let account: Account
    /// Its system call filter, compiled.
    var filter: [UInt8]

    /// Starts a program as that user, without any capability, with a way to talk to this process.
    ///
    /// - Parameters:
    ///   - launcher: what takes the privileges away.
    ///   - words: what the program is told; beside them it gets `--supervisor-fd` and
    ///     `--filter-fd`, whose numbers follow those of `descriptors`.
    func start(
        _ program: String, through launcher: String, _ words: [String], descriptors: [CInt] = []
    ) throws(KernelError) -> UnprivilegedProcess {
        let pair = try Socket.seqpacketPair()
        // At most 32 KiB, which a pipe holds without a reader.
        let filter = try Pipe()
        try filter.write.write(self.filter, to: "filter")
        let first = 3 + descriptors.count
        let child = try Child.spawn(
            launcher,
            arguments: ["drop", String(account.uid), String(account.gid), program] + words + [
                "--supervisor-fd", String(first), "--filter-fd", String(first + 1),
            ],
            environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"],
            descriptors: descriptors + [pair.theirs.raw, filter.read.raw])
        let link = pair.keepOurs()
        // One that stops reading must never stop this process.
        try link.setNonblocking(true)
        return UnprivilegedProcess(child: child, link: link)
    }
}

/// When a process of ours that has ended is started again: soon at first, later each time.
struct Restarts {
    /// By the monotonic clock in microseconds.
    private(set) var due: UInt64 = 0
    private var pause = Limit.restartMilliseconds.lowerBound

    /// Whether the time has come.
    var isDue: Bool { System.monotonicMicroseconds >= due }

    /// One ended, or could not be started; returns how long the next waits, in milliseconds.
    mutating func wait(since: UInt64? = nil) -> Int {
        let now = System.monotonicMicroseconds
        if let since, now - since >= UInt64(Limit.steadyMilliseconds) * 1000 {
            pause = Limit.restartMilliseconds.lowerBound
        }
        let current = pause
        due = now + UInt64(pause) * 1000
        pause = min(pause * 2, Limit.restartMilliseconds.upperBound)
        return current
    }
}
