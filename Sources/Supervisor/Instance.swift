import Configuration
import Glibc
import Kernel

/// The places on disk of one running supervisor, checked, locked and swept of what a killed
/// predecessor left.
struct Instance: ~Copyable {
    /// A name that is the same at every start with the same state directory.
    let name: String
    /// Installed packages, one directory each, finished and sealed.
    let prefixes: String
    /// Installations under way; emptied at every start.
    let installing: String
    /// The broker's own directory.
    let brokerState: String
    /// An empty directory that templates build their trees on.
    let treeRoot: String
    /// Held by this process and its sweeper, so that no successor starts before both are done.
    let lock: Descriptor

    init(_ settings: Settings) throws(SupervisorError) {
        let lock = try Self.lock(settings)
        let name: String
        do throws(KernelError) {
            name = try Self.name(of: settings.state)
        } catch {
            throw SupervisorError(
                "use", settings.state, "name", error, hint: "is the disk full or read-only?")
        }
        try self.init(settings, name: name, lock: lock)
    }

    /// The same with a name that nobody else has, and a lock that says so.
    init(
        _ settings: Settings, name: String, lock: consuming Descriptor
    ) throws(SupervisorError) {
        let directories = ["/prefixes", "/installing"].map { settings.state + $0 }
        do throws(KernelError) {
            for path in directories + [settings.runtime + "/tree"] {
                try Files.makeDirectory(path, mode: 0o700)
            }
            for leftover in try Files.names(in: directories[1]) {
                try Files.removeTree(directories[1] + "/" + leftover)
            }
        } catch {
            throw SupervisorError(
                "use", settings.state, "sweep", error, hint: "is the disk full or read-only?")
        }
        self.lock = lock
        self.name = name
        prefixes = directories[0]
        installing = directories[1]
        brokerState = settings.state + "/broker"
        treeRoot = settings.runtime + "/tree"
    }

    private static func lock(_ settings: Settings) throws(SupervisorError) -> Descriptor {
        let lock: Descriptor
        do throws(KernelError) {
            // Others may pass through to what is theirs.
            try Files.makeDirectories(settings.state, mode: 0o755)
            try Files.makeDirectories(settings.runtime, mode: 0o755)
            lock = try Descriptor.open(settings.state + "/lock", O_RDWR | O_CREAT, mode: 0o600)
        } catch {
            throw SupervisorError(
                "use", settings.state, "make-directories", error, hint: "corrald needs root")
        }
        guard try isOurs(lock, settings) else {
            throw SupervisorError(
                "use", settings.state, "lock", "another corrald runs with this state directory",
                hint: "stop it, or give this one a 'state' of its own")
        }
        return lock
    }

    /// Locks; the sweeper of a killed predecessor may have it until it is done.
    private static func isOurs(
        _ lock: borrowing Descriptor, _ settings: Settings
    ) throws(SupervisorError) -> Bool {
        do throws(KernelError) {
            for _ in 0..<Limit.lockAttempts {
                if try lock.lockExclusively() { return true }
                _ = try poll([], milliseconds: Limit.lockMilliseconds)
            }
            return false
        } catch {
            throw SupervisorError(
                "use", settings.state, "lock", error, hint: "is it on a local file system?")
        }
    }

    /// Recognisable, and different for different state directories: their device and inode.
    static func name(of state: String) throws(KernelError) -> String {
        guard let status = try Files.status(state) else {
            throw KernelError("lstat", state, errno: ENOENT)
        }
        return "corral-\(String(status.device, radix: 36))-\(String(status.inode, radix: 36))"
    }
}
