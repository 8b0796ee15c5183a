import CKernel
import Glibc

/// A child process, held by its pidfd, so that a reused pid can never be meant by mistake.
public struct Child: ~Copyable, Sendable {
    /// How a process ended.
    public struct Ending: Sendable, Equatable {
        /// The exit status, or -1 when a signal ended it.
        public let status: CInt
        /// The signal, or 0.
        public let signal: CInt
    }

    /// The pid in this process's namespace, for names in /proc while the child is unreaped.
    public let pid: Int32
    /// Readable when the process has ended (pidfd_open(2)).
    public let pidfd: Descriptor

    /// Takes over a child whose pidfd somebody else made.
    public init(pid: Int32, pidfd: consuming Descriptor) {
        self.pid = pid
        self.pidfd = pidfd
    }

    /// Sends a signal; one that has ended already is no error.
    public borrowing func signal(_ number: CInt) throws(KernelError) {
        let raw = pidfd.raw
        do throws(KernelError) {
            _ = try check("pidfd_send_signal") { corral_pidfd_signal(raw, number) }
        } catch  where error.errno == ESRCH {
            return
        }
    }

    /// Reaps the child when it has ended (waitid(2)); nil while it runs.
    public borrowing func reap() throws(KernelError) -> Ending? {
        let raw = pidfd.raw
        var status: CInt = 0
        var signal: CInt = 0
        let over = try check("waitid") { unsafe corral_pidfd_wait(raw, &status, &signal) }
        return over == 0 ? nil : Ending(status: status, signal: signal)
    }

    /// Starts a program with `descriptors` as its 3, 4, …, signals at their defaults and exactly
    /// the given environment. 0, 1 and 2 are this process's own.
    public static func spawn(
        _ path: String, arguments: [String], environment: [String], descriptors: [CInt]
    ) throws(KernelError) -> Child {
        var pidfd: CInt = -1
        // The C strings live until both closures have returned, which is after the spawn.
        let pid = try unsafe withCStrings([path] + arguments) { argv throws(KernelError) in
            try unsafe withCStrings(environment) { envp throws(KernelError) in
                try check("posix_spawn", path) {
                    unsafe corral_spawn(
                        path, argv, envp, descriptors, CInt(descriptors.count), &pidfd)
                }
            }
        }
        return Child(pid: pid, pidfd: Descriptor(owning: pidfd))
    }
}

/// Calls `body` with a NULL-terminated array of C strings that lives as long as the call.
func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafePointer<CChar>?>) throws(KernelError) -> Result
) throws(KernelError) -> Result {
    let bytes = unsafe strings.map { unsafe strdup($0) }
    defer { unsafe bytes.forEach { unsafe free($0) } }
    var pointers = unsafe bytes.map { unsafe UnsafePointer($0) }
    unsafe pointers.append(nil)
    let result = unsafe pointers.withUnsafeBufferPointer {
        buffer -> Swift.Result<Result, KernelError> in
        guard let base = buffer.baseAddress else {
            return .failure(KernelError("strdup", errno: ENOMEM))
        }
        do throws(KernelError) {
            return .success(try unsafe body(base))
        } catch {
            return .failure(error)
        }
    }
    return try result.get()
}

/// Who this process is to the kernel.
public enum Identity {
    /// Runs `body` with the file rights of a user: what they may not open, `body` cannot.
    ///
    /// Only in a single-threaded process: the kernel keeps these ids per thread.
    public static func withFileRights<Result: ~Copyable>(
        uid: UInt32, gid: UInt32, groups: [UInt32],
        _ body: () throws(KernelError) -> Result
    ) throws(KernelError) -> Result {
        let own = try currentGroups()
        // Before the first change: one that fails may have changed a part.
        defer {
            // Nobody may go on with a half-changed identity.
            precondition(
                unsafe corral_assume_file_identity(geteuid(), getegid(), own, CInt(own.count)) == 0,
                "the supervisor could not take its own identity back")
        }
        _ = try check("setfsuid") {
            unsafe corral_assume_file_identity(uid, gid, groups, CInt(groups.count))
        }
        return try body()
    }

    private static func currentGroups() throws(KernelError) -> [UInt32] {
        var groups = [gid_t](repeating: 0, count: 65_536)
        let count = try check("getgroups") {
            unsafe getgroups(CInt(groups.count), &groups)
        }
        return Array(groups[..<Int(count)])
    }

    /// Forbids others of the same uid to trace this process or read its memory (prctl(2)).
    public static func protectMemory() throws(KernelError) {
        _ = try check("prctl", "PR_SET_DUMPABLE") { corral_set_dumpable(false) }
    }

    /// Keeps descriptors that whoever started this process left open from its children, and leaves
    /// none of 0, 1 and 2 free for a file of ours to become somebody's standard output.
    public static func sealDescriptors() throws(KernelError) {
        while true {
            let null = try Descriptor.open("/dev/null", O_RDWR)
            guard null.raw <= 2 else { break }
            // Open for good; CLOEXEC off, since children expect the three.
            let raw = null.release()
            _ = try check("fcntl") { fcntl(raw, F_SETFD, 0) }
        }
        _ = try check("close_range") { corral_seal_descriptors() }
    }

    /// Leaves the session of whoever started this process, with its terminal, and its standard
    /// input and output; standard error stays (setsid(2)).
    public static func leaveTerminal() throws(KernelError) {
        _ = try check("setsid") { setsid() }
        let null = try Descriptor.open("/dev/null", O_RDWR)
        for stream: CInt in [0, 1] { _ = try check("dup2") { dup2(null.raw, stream) } }
    }

    /// Raises the limit on open descriptors to `wanted`, or as far as this process may, and returns
    /// what holds (setrlimit(2)).
    public static func raiseDescriptorLimit(to wanted: UInt64) throws(KernelError) -> UInt64 {
        var limit: UInt64 = 0
        _ = try check("setrlimit") { unsafe corral_raise_descriptor_limit(wanted, &limit) }
        return limit
    }

    /// Gives up for good the gain of privileges by exec (prctl(2)).
    public static func refuseNewPrivileges() throws(KernelError) {
        _ = try check("prctl", "PR_SET_NO_NEW_PRIVS") { corral_set_no_new_privileges() }
    }

    /// Confines every thread of this process to a system call filter for good (seccomp(2)).
    ///
    /// - Parameter filter: `struct sock_filter`s, 8 bytes each. No new privileges must have been
    ///   refused before.
    public static func filterSystemCalls(_ filter: [UInt8]) throws(KernelError) {
        guard filter.count.isMultiple(of: 8) else { throw KernelError("seccomp", errno: EINVAL) }
        _ = try check("seccomp") { unsafe corral_filter_system_calls(filter, filter.count / 8) }
    }

    /// The effective user.
    public static var uid: UInt32 { geteuid() }
}

/// Clocks and randomness.
public enum System {
    /// Microseconds of a clock that only goes forward (CLOCK_MONOTONIC).
    public static var monotonicMicroseconds: UInt64 { corral_monotonic_us() }
    /// Milliseconds since 1970 (CLOCK_REALTIME).
    public static var wallMilliseconds: UInt64 { corral_wall_ms() }

    /// Bytes nobody can guess (getrandom(2)).
    public static func random(_ count: Int) throws(KernelError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        _ = try check("getrandom") { unsafe corral_random(&bytes, count) }
        return bytes
    }

    /// The absolute path of the running program.
    public static func executable() throws(KernelError) -> String {
        guard let path = try Files.linkTarget("/proc/self/exe") else {
            throw KernelError("readlink", "/proc/self/exe", errno: ENOENT)
        }
        return path
    }

    /// A variable of this process's environment.
    public static func environment(_ name: String) -> String? {
        // The environment is not changed after start; the copy is taken before returning.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}

extension Child {
    /// Whether it has ended and waits to be reaped.
    public borrowing func reapable() throws(KernelError) -> Bool {
        let poller = try Poller()
        try poller.add(pidfd.raw, token: 0)
        return try !poller.wait(milliseconds: 0).isEmpty
    }

    /// Kills and reaps a child of which only the pid is known, which stays its own until then.
    public static func end(unreaped pid: Int32) {
        _ = kill(pid, SIGKILL)
        // The status goes nowhere; ECHILD is all that can fail, and then nothing is left to do.
        while waitpid(pid, nil, 0) < 0 && errno == EINTR {}
    }

    /// Kills it and waits until it is reaped: at most as long as the kernel takes to end it.
    public borrowing func end() throws(KernelError) {
        try signal(SIGKILL)
        let poller = try Poller()
        try poller.add(pidfd.raw, token: 0)
        while try reap() == nil { _ = try poller.wait(milliseconds: nil) }
    }
}

extension System {
    /// What the kernel says of a process at one moment.
    public struct Look: Sendable, Equatable {
        /// The text of /proc/PID/status (proc(5)).
        public var status: [UInt8]
        /// The numbers of its namespaces (namespaces(7)); 0 for one that a process on its way out
        /// has let go.
        public var namespaces: [UInt64]
    }

    /// Looks at a process, in as few calls as can be: a start waits for it.
    ///
    /// - Parameters:
    ///   - kinds: the names of /proc/PID/ns that are wanted, with a space between them.
    ///   - count: how many these are.
    public static func look(
        at pid: Int32, _ kinds: String, count: Int
    ) throws(KernelError) -> Look {
        var numbers = [UInt64](repeating: 0, count: count)
        var failure: KernelError?
        // The kernel writes at most as much as both buffers hold.
        let status = unsafe [UInt8](unsafeUninitializedCapacity: statusBytes) { buffer, used in
            do throws(KernelError) {
                used = try check("look", "/proc/\(pid)") { () -> Int in
                    unsafe corral_look(
                        pid, kinds, &numbers, CInt(count), buffer.baseAddress, statusBytes)
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return Look(status: status, namespaces: numbers)
    }

    /// As much of a status as is read: four times what a process without groups has.
    private static let statusBytes = 8 << 10

    /// The mount namespace of a process; nil when it has let go of it.
    public static func mountNamespace(of pid: Int32) -> Descriptor? {
        do throws(KernelError) {
            return try Descriptor.open("/proc/\(pid)/ns/mnt", O_RDONLY)
        } catch {
            return nil
        }
    }

    /// This process.
    public static var pid: Int32 { getpid() }
}
