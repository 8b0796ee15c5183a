import Glibc

/// Where this host keeps its cgroups and which version carries the controllers (cgroups(7)).
public struct CgroupHost: Sendable, Equatable {
    /// The two versions of the interface.
    public enum Version: String, Sendable, Equatable {
        /// One hierarchy for all controllers.
        case v2
        /// A hierarchy for each controller, or a few of them together.
        case v1
    }

    /// A cgroup file system or a part of one, and what it controls.
    struct Hierarchy: Sendable, Equatable {
        /// The directory under which this process may make cgroups.
        var base: String
        var controllers: Set<String>
    }

    /// Which version limits the sandboxes.
    public let version: Version
    let hierarchies: [Hierarchy]

    /// Controllers without which no sandbox is started.
    static let required: [String] = ["memory", "pids", "cpu"]

    /// Looks at what is mounted and where this process is.
    public static func detect() throws(CgroupError) -> CgroupHost {
        do throws(KernelError) {
            return try detect(
                mounts: Files.text("/proc/self/mountinfo", limit: 4 << 20),
                membership: Files.text("/proc/self/cgroup"),
                unified: { mount throws(KernelError) in
                    try Files.text(mount + "/cgroup.controllers")
                })
        } catch {
            throw CgroupError(step: "detect", cause: error.description, hint: "is /proc mounted?")
        }
    }

    /// The pure part: `mounts` is mountinfo (proc(5)), `membership` /proc/self/cgroup, `unified`
    /// reads the controllers of a cgroup v2 mount.
    static func detect(
        mounts: String, membership: String,
        unified: (String) throws(KernelError) -> String
    ) throws(KernelError) -> CgroupHost {
        let own = paths(membership)
        var old: [Hierarchy] = []
        for line in mounts.split(separator: "\n") {
            guard let mount = MountInfo(line) else { continue }
            if mount.kind == "cgroup2" {
                let controllers = Set(
                    try unified(mount.point).split(whereSeparator: \.isWhitespace).map(String.init))
                if required.allSatisfy(controllers.contains) {
                    let base = mount.place(of: own[""] ?? "/")
                    return CgroupHost(
                        version: .v2, hierarchies: [Hierarchy(base: base, controllers: controllers)]
                    )
                }
            } else if mount.kind == "cgroup" {
                let known = ["memory", "pids", "cpu", "cpuacct", "blkio"]
                let controllers = Set(mount.fileSystemOptions.filter(known.contains))
                guard let first = controllers.first,
                    !old.contains(where: { $0.controllers == controllers })
                else { continue }
                let base = mount.place(of: own[first] ?? "/")
                old.append(Hierarchy(base: base, controllers: controllers))
            }
        }
        return CgroupHost(version: .v1, hierarchies: old)
    }

    /// Controllers that are needed and not there.
    public var missing: [String] {
        // Version 2 counts CPU time wherever it is; without it no limit on it would hold.
        let required = Self.required + (version == .v1 ? ["cpuacct"] : [])
        return required.filter { name in
            !hierarchies.contains { $0.controllers.contains(name) }
        }
    }

    /// All controllers found.
    public var controllers: Set<String> {
        hierarchies.reduce(into: []) { $0.formUnion($1.controllers) }
    }

    /// Whether memory that is moved to swap counts too; version 2 always can.
    public func countsSwap() throws(KernelError) -> Bool {
        guard version == .v1 else { return true }
        guard let memory = hierarchies.first(where: { $0.controllers.contains("memory") }) else {
            return false
        }
        return try Files.status(memory.base + "/memory.memsw.limit_in_bytes") != nil
    }

    /// Makes a group in each hierarchy and removes it again, to see that it can be done.
    public func tryMaking(_ name: String) throws(KernelError) {
        guard !hierarchies.isEmpty else {
            throw KernelError("mkdir", "/sys/fs/cgroup/" + name, errno: ENOENT)
        }
        for hierarchy in hierarchies {
            let path = hierarchy.base + "/" + name
            try Files.makeDirectory(path, mode: 0o755)
            try Files.removeDirectory(path)
        }
    }

    /// Controller name → this process's cgroup path; "" for version 2.
    private static func paths(_ membership: String) -> [String: String] {
        var paths: [String: String] = [:]
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            for name in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
                paths[String(name)] = String(fields[2])
            }
        }
        return paths
    }
}

/// A cgroup that could not be made, limited or read.
public struct CgroupError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was being done: `detect`, `create`, `limit-memory`, …
    public let step: String
    /// Why it failed.
    public let cause: String
    /// What to do about it.
    public let hint: String

    /// `STEP: CAUSE (HINT)`.
    public var description: String { "\(step): \(cause) (\(hint))" }
}
