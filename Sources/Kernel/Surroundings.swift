import Glibc

/// What a program is told by whoever started it, and how it leaves.
public enum Surroundings {
    /// The value of an environment variable; nil when it is not set.
    public static func variable(_ name: String) -> String? {
        // The string is copied before anything could change the environment.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// The absolute path of an existing file without links, `.` and `..` (realpath(3)).
    public static func absolutePath(_ path: String) throws(KernelError) -> String {
        // realpath allocates the answer, which is copied and freed here.
        guard let resolved = unsafe realpath(path, nil) else {
            throw KernelError("realpath", path)
        }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// Stops this process until somebody continues it (signal(7) SIGSTOP).
    public static func stop() { _ = raise(SIGSTOP) }

    /// Ends the process with a status, 0 to 255.
    public static func leave(_ status: Int32) -> Never { exit(status) }
}
