import Glibc
import Kernel

/// What the kernel says of a running sandbox at one moment, as it says it.
struct PostureReading: Equatable {
    /// One process.
    struct Process: Equatable {
        var pid: Int32 = 0
        var status = ""
        /// Kind → `kind:[inode]`.
        var namespaces: [String: String] = [:]
        var limits = ""
        var stat = ""
        var oomScore = ""
        /// Of its user namespace; read of pid 1 and the tool alone, since all are in the same.
        var uidMap = ""
        var gidMap = ""
        var projectMap = ""
        var setgroups = ""
        /// Descriptor → what it refers to; of pid 1 and the tool alone.
        var descriptors: [Int: String] = [:]
    }

    /// The sandbox's pid 1.
    var initial = Process()
    /// The server: the first child of pid 1; nil when it has ended.
    var tool: Process?
    /// All others: those in its cgroup and the descendants of pid 1.
    var others: [Process] = []
    /// Whether there are more than were read.
    var isCut = false
    /// The processes in its cgroup, in every hierarchy.
    var members: Set<Int32> = []
    /// Of the tool, or of pid 1 when there is no tool any more.
    var mounts = ""
    /// The owner of pid 1's descriptors: root when it may not be traced (proc(5)).
    var initialOwner: UInt32 = .max
    var holdings: [Cgroup.Holding] = []
    /// CPU time of all processes together.
    var cpuMicroseconds: UInt64 = 0
    /// How long it has lived.
    var ageMicroseconds: UInt64 = 0
    /// The network namespace of the tool, or of pid 1; nil when it was not looked at.
    var network: NetworkReading?
    /// The version of Landlock's ABI that pid 1 told when the tool was executed.
    var landlock: Int32 = 0
}

extension PostureReading {
    /// Bytes of mountinfo that are read: many hundred mounts.
    private static let mountBytes = 1 << 20
    /// How often a process that lets go of its namespaces is looked at again, 1 ms apart.
    private static let exitAttempts = 20

    /// Reads everything; ESRCH or ENOENT when the sandbox ends meanwhile.
    ///
    /// A zygote of ours may still be in the cgroup that its last child inherited.
    init(pid: Int32, cgroup: Cgroup, besides zygotes: Set<Int32>) throws(KernelError) {
        initial = try Self.process(pid, time: "time_for_children", whole: true)
        initialOwner = try Files.status("/proc/\(pid)/fd")?.uid ?? .max
        // The first is the tool; later ones are orphans that pid 1 has taken in.
        let child = try Self.children(of: pid).first
        if let child { tool = try Self.process(child, time: "time", whole: true) }
        mounts = try Files.text("/proc/\(child ?? pid)/mountinfo", limit: Self.mountBytes)
        network = try NetworkReading(of: child ?? pid)
        holdings = try cgroup.holdings()
        cpuMicroseconds = try cgroup.cpuMicroseconds()
        let groups = try cgroup.members().map { $0.subtracting(zygotes) }
        members = groups.dropFirst().reduce(groups.first ?? []) { $0.intersection($1) }
        var rest = try Self.family(of: pid, groups.reduce([]) { $0.union($1) })
        for known in [pid, child ?? pid] { rest.remove(known) }
        isCut = rest.count > Limit.postureProcesses
        for other in rest.sorted().prefix(Limit.postureProcesses) {
            if let process = try Self.other(other) { others.append(process) }
        }
    }

    private static func process(
        _ pid: Int32, time: String, whole: Bool
    ) throws(KernelError) -> Process {
        let place = "/proc/\(pid)"
        var process = Process(pid: pid)
        process.status = try Files.text(place + "/status")
        process.namespaces = try Posture.readNamespaces(of: String(pid), time: time)
        process.limits = try Files.text(place + "/limits")
        process.stat = try Files.text(place + "/stat")
        process.oomScore = try Files.text(place + "/oom_score_adj")
        guard whole else { return process }
        process.uidMap = try Files.text(place + "/uid_map")
        process.gidMap = try Files.text(place + "/gid_map")
        process.projectMap = try Files.text(place + "/projid_map")
        process.setgroups = try Files.text(place + "/setgroups")
        for name in try Files.names(in: place + "/fd") {
            // One that was closed in between has no target any more.
            guard let number = Int(name),
                let target = try Files.linkTarget(place + "/fd/" + name)
            else { continue }
            process.descriptors[number] = target
        }
        return process
    }

    /// A process that may end at any time; nil for one that has.
    private static func other(_ pid: Int32) throws(KernelError) -> Process? {
        for attempt in 0...exitAttempts {
            let read = try there { () throws(KernelError) in
                try process(pid, time: "time", whole: false)
            }
            guard let read else { return nil }
            let state = Posture.fields(read.status)["State"]?.first
            if state == "Z" || state == "X" { return nil }
            // On its way out it is no zombie yet, and has no namespaces any more.
            if read.namespaces.count == Posture.namespaces.count || attempt == exitAttempts {
                return read
            }
            _ = try poll([], milliseconds: 1)
        }
        return nil
    }

    /// Everyone below `pid` and below the members, and themselves.
    private static func family(
        of pid: Int32, _ members: Set<Int32>
    ) throws(KernelError) -> Set<Int32> {
        var known = members.union([pid])
        var open = Array(known)
        while let next = open.popLast(), known.count <= Limit.postureProcesses {
            for child in try children(of: next) where known.insert(child).inserted {
                open.append(child)
            }
        }
        return known
    }

    /// The children of all threads, in their order; none of a process that is gone.
    private static func children(of pid: Int32) throws(KernelError) -> [Int32] {
        let place = "/proc/\(pid)/task"
        var found: [Int32] = []
        let threads = try there { () throws(KernelError) in try Files.names(in: place) } ?? []
        for thread in threads {
            let text = try there { () throws(KernelError) in
                try Files.text("\(place)/\(thread)/children", limit: 1 << 20)
            }
            found += (text ?? "").split(separator: " ").compactMap { Int32($0) }
        }
        return found
    }

    /// What `body` reads, nil when it is not there any more.
    private static func there<Value>(
        _ body: () throws(KernelError) -> Value
    ) throws(KernelError) -> Value? {
        do throws(KernelError) {
            return try body()
        } catch  where error.isMissing || error.errno == ESRCH {
            return nil
        }
    }
}
