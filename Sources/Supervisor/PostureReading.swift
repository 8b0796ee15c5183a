import Kernel

/// What the kernel says of a running sandbox at one moment, as it says it.
struct PostureReading: Equatable {
    /// One process.
    struct Process: Equatable {
        var status = ""
        /// Kind → `kind:[inode]`.
        var namespaces: [String: String] = [:]
        var uidMap = ""
        var gidMap = ""
        var projectMap = ""
        var setgroups = ""
        /// Descriptor → what it refers to.
        var descriptors: [Int: String] = [:]
    }

    /// The sandbox's pid 1.
    var initial = Process()
    /// The server: the first child of pid 1; nil when it has ended.
    var tool: Process?
    /// The rest is the tool's, and pid 1's when there is no tool any more.
    var mounts = ""
    var limits = ""
    var stat = ""
    var oomScore = ""
    /// The owner of pid 1's descriptors: root when it may not be traced (proc(5)).
    var initialOwner: UInt32 = .max
    var holdings: [Cgroup.Holding] = []
    /// Whether pid 1 and the tool are in the sandbox's cgroup.
    var isInGroup = false
}

extension PostureReading {
    /// Bytes of mountinfo that are read: many hundred mounts.
    private static let mountBytes = 1 << 20

    /// Reads everything; ESRCH or ENOENT when the sandbox ends meanwhile.
    init(pid: Int32, cgroup: Cgroup) throws(KernelError) {
        initial = try Self.process(pid, time: "time_for_children")
        initialOwner = try Files.status("/proc/\(pid)/fd")?.uid ?? .max
        // The first is the tool; later ones are orphans that pid 1 has taken in.
        let children = try Files.text("/proc/\(pid)/task/\(pid)/children")
        let child = children.split(separator: " ").first.flatMap { Int32($0) }
        if let child { tool = try Self.process(child, time: "time") }
        let one = child ?? pid
        mounts = try Files.text("/proc/\(one)/mountinfo", limit: Self.mountBytes)
        limits = try Files.text("/proc/\(one)/limits")
        stat = try Files.text("/proc/\(one)/stat")
        oomScore = try Files.text("/proc/\(one)/oom_score_adj")
        holdings = try cgroup.holdings()
        isInGroup = try cgroup.contains(pid)
        if let child, isInGroup { isInGroup = try cgroup.contains(child) }
    }

    private static func process(_ pid: Int32, time: String) throws(KernelError) -> Process {
        let place = "/proc/\(pid)"
        var process = Process()
        process.status = try Files.text(place + "/status")
        process.namespaces = try Posture.readNamespaces(of: String(pid), time: time)
        process.uidMap = try Files.text(place + "/uid_map")
        process.gidMap = try Files.text(place + "/gid_map")
        process.projectMap = try Files.text(place + "/projid_map")
        process.setgroups = try Files.text(place + "/setgroups")
        for name in try Files.names(in: place + "/fd") {
            // One that was closed in between has no target any more.
            guard let number = Int(name), let target = try target(place + "/fd/" + name) else {
                continue
            }
            process.descriptors[number] = target
        }
        return process
    }

    private static func target(_ path: String) throws(KernelError) -> String? {
        do throws(KernelError) {
            return try Files.linkTarget(path)
        } catch  where error.isMissing {
            return nil
        }
    }
}
