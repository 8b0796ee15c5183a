import Glibc

/// The cgroups of one running supervisor: a group of its own in each hierarchy, and one below it
/// for each sandbox. One interface over both versions.
public struct CgroupTree: Sendable {
    /// Which version is in use.
    public let version: CgroupHost.Version
    /// The supervisor's directory in each hierarchy; the sweeper removes them with all below.
    public let roots: [String]
    /// Whether it can limit how fast disks are read and written.
    public let limitsDisks: Bool
    private let hierarchies: [CgroupHost.Hierarchy]
    /// Of 5 ms each, for the kernel to end what was killed: five seconds.
    private static let clearAttempts = 1_000

    /// Makes the supervisor's groups, with nothing in them; `name` is recognisable: `corral-…`.
    public init(host: CgroupHost, name: String) throws(CgroupError) {
        guard host.missing.isEmpty else {
            throw CgroupError(
                step: "controllers",
                cause: "this host offers no \(host.missing.joined(separator: ", ")) controller",
                hint: "mount cgroup v2, or enable the controllers on the kernel command line")
        }
        version = host.version
        // Thrown as it is: it says what to do.
        var hierarchies = host.hierarchies
        if host.version == .v2 { hierarchies = [try UnifiedGroup.prepare(hierarchies[0])] }
        do throws(KernelError) {
            hierarchies = try hierarchies.map { hierarchy throws(KernelError) in
                var own = hierarchy
                own.base += "/" + name
                try Files.makeDirectory(own.base, mode: 0o755)
                if host.version == .v2 { try UnifiedGroup.enable(own) }
                return own
            }
            try Self.clear(hierarchies.map(\.base))
            limitsDisks = try CgroupHost.limitsDisks(version, hierarchies)
        } catch {
            throw CgroupError(
                step: "create", cause: error.description,
                hint: "corrald needs root and, under systemd, Delegate=yes")
        }
        self.hierarchies = hierarchies
        roots = hierarchies.map(\.base)
    }

    /// Ends and removes what a supervisor left that was killed together with its sweeper:
    /// its names are taken, and so are its uids while something of it lives.
    private static func clear(_ bases: [String]) throws(KernelError) {
        var left: [String] = []
        for base in bases {
            for name in try Files.names(in: base) {
                let path = base + "/" + name
                guard try Files.status(path)?.isDirectory ?? false else { continue }
                try Cgroup.letGoOfDisks(path)
                for pid in try members(of: path) where pid > 1 { _ = kill(pid, SIGKILL) }
                left.append(path)
            }
        }
        for path in left {
            var attempts = 0
            while true {
                do throws(KernelError) {
                    try Files.removeDirectory(path)
                    break
                } catch  where error.errno == EBUSY && attempts < clearAttempts {
                    attempts += 1
                    _ = try poll([], milliseconds: 5)
                }
            }
        }
    }

    /// Processes in a group; none in one that goes at this moment.
    private static func members(of group: String) throws(KernelError) -> [pid_t] {
        do throws(KernelError) {
            return try Files.text(group + "/cgroup.procs", limit: 1 << 20)
                .split(separator: "\n").compactMap { pid_t($0) }
        } catch  where error.isMissing || error.errno == ENODEV {
            return []
        }
    }

    /// Makes a sandbox's group with its limits; nothing is left of it when a limit does not take.
    public func makeGroup(_ name: String, _ limits: Cgroup.Limits) throws(CgroupError) -> Cgroup {
        let group = Cgroup(
            version: version,
            places: hierarchies.filter { limits.disks != nil || !CgroupHost.isOfDisks($0) }.map {
                .init(path: $0.base + "/" + name, controllers: $0.controllers)
            },
            limits: limits)
        do throws(CgroupError) {
            try group.create()
        } catch {
            // The first error is the one to tell; what cannot be removed the sweeper removes.
            do { try group.remove() } catch {}
            throw error
        }
        return group
    }
}
