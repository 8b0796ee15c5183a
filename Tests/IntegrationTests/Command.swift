import Glibc
import JSONRPC
import Kernel

/// What a finished program left.
struct Output {
    var status: CInt
    var out: String
    var err: String

    /// Its standard output as JSON.
    func json() throws -> JSON {
        do {
            return try JSON.parse(Array(out.utf8))
        } catch {
            throw HarnessError("no JSON (\(error)): \(out) \(err)")
        }
    }
}

/// Starts programs with standard streams that are files: nobody has to empty a pipe.
enum Command {
    private static let outputBytes = 32 << 20
    /// Moves the descriptors 3, 4 and 5 that `Child.spawn` gives to 0, 1 and 2.
    private static let redirect = #"exec "$0" "$@" <&3 >&4 2>&5 3<&- 4>&- 5>&-"#

    /// Starts a program; its output goes to `PREFIX.out` and `PREFIX.err`.
    static func start(_ words: [String], environment: [String] = [], files prefix: String) throws
        -> Child
    {
        let flags = O_WRONLY | O_CREAT | O_APPEND
        let input = try Descriptor.open("/dev/null", O_RDONLY)
        let output = try Descriptor.open(prefix + ".out", flags, mode: 0o600)
        let errors = try Descriptor.open(prefix + ".err", flags, mode: 0o600)
        return try Child.spawn(
            "/bin/sh", arguments: ["-c", redirect] + words,
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"] + environment,
            descriptors: [input.raw, output.raw, errors.raw])
    }

    /// Runs a program to its end; one that does not end is killed and is an error.
    static func run(_ words: [String], files prefix: String) throws -> Output {
        let child = try start(words, files: prefix)
        guard let ending = try wait(for: child, milliseconds: Patience.command) else {
            try child.signal(SIGKILL)
            throw HarnessError("did not end: \(words.joined(separator: " "))")
        }
        let out = try Files.text(prefix + ".out", limit: outputBytes)
        let err = try Files.text(prefix + ".err", limit: outputBytes)
        try Files.remove(prefix + ".out")
        try Files.remove(prefix + ".err")
        return Output(status: ending.status, out: out, err: err)
    }

    /// Waits for a child's end; nil when it still runs after that time.
    static func wait(for child: borrowing Child, milliseconds: Int) throws -> Child.Ending? {
        let poller = try Poller()
        try poller.add(child.pidfd.raw, token: 0)
        _ = try poller.wait(milliseconds: milliseconds)
        return try child.reap()
    }
}
