import Glibc
import Kernel

/// Signals that end the broker.
enum Signal {
    static let terminate = SIGTERM
    static let interrupt = SIGINT
}

/// The end of this process.
enum Process {
    static func exit(_ status: CInt) -> Never { Glibc.exit(status) }
}

/// A mark that any thread can set and the main thread can wait for.
final class EndMark: Sendable {
    private let pipe: Pipe

    init() throws { pipe = try Pipe() }

    /// The descriptor to poll.
    var raw: CInt { pipe.read.raw }

    /// Sets the mark.
    func set() {
        do throws(KernelError) {
            try pipe.write.write([0])
        } catch {
            // The reading end lives as long as this object: a write of one byte succeeds.
        }
    }
}

/// Why the broker ends.
enum EndCause {
    case signal
    case supervisorGone
}

/// Waits until there is a reason to end.
func wait(for signals: borrowing Signals, or end: EndMark) throws -> EndCause {
    let poller = try Poller()
    try poller.add(signals.raw, token: 0)
    try poller.add(end.raw, token: 1)
    while true {
        for ready in try poller.wait(milliseconds: nil) {
            if ready.token == 1 { return .supervisorGone }
            if try signals.next() != nil { return .signal }
        }
    }
}
