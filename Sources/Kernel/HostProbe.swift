import CKernel
import Glibc

/// Tries out what a host offers; everything is afterwards as it was before.
public enum HostProbe {
    /// Namespaces that are tried, by the names of /proc/PID/ns.
    public static let namespaces = ["mnt", "pid", "net", "ipc", "uts", "cgroup"]
    /// System calls that are tried.
    public static let calls = [
        "openat2", "pidfd_open", "close_range", "open_tree", "move_mount", "mount_setattr",
        "seccomp",
    ]
    /// Libraries that the programs load.
    public static let libraries = ["libseccomp.so.2", "libsqlite3.so.0", "libyaml-0.so.2"]

    /// Runs every probe; `state` is where packages will be installed, `uid` a sandbox's user.
    public static func facts(state: String, uid: UInt32) -> HostFacts {
        let isRoot = Identity.uid == 0
        let user = trial(isRoot: true) { () throws(KernelError) in
            _ = try check("unshare", "user") {
                corral_probe_user_namespace(isRoot ? Int64(uid) : -1)
            }
        }
        return HostFacts(
            isRoot: isRoot, kernel: text("/proc/sys/kernel/osrelease") ?? "unknown",
            cgroups: cgroups(isRoot: isRoot),
            namespaces: named(namespaces) { namespace($0, isRoot: isRoot) },
            gateway: isRoot ? trial(isRoot: true, gateway) : .untried,
            clocks: trial(isRoot: isRoot) { () throws(KernelError) in
                _ = try check("set", "clocks") { corral_probe_clocks() }
            },
            userNamespace: user,
            namespacesMax: namespacesMax(), capabilities: OwnLimits.capabilities(),
            limits: OwnLimits.hard(),
            calls: named(calls) { name in
                trial(isRoot: isRoot) { () throws(KernelError) in
                    try makeCall(name)
                }
            },
            landlock: max(0, Int(corral_landlock_version())), swapBytes: swapBytes(),
            libraries: named(libraries) { unsafe corral_library_loads($0) },
            python: PythonProbe.run(), place: place(state, uid: uid, isRoot: isRoot))
    }

    /// Makes one as sandboxes get it, with rules of every kind, and lets go of it.
    private static func gateway() throws(KernelError) {
        _ = try SandboxNetwork(.gateway(loopback: true))
    }

    private static func named<Value>(
        _ names: [String], _ probe: (String) -> Value
    ) -> [String: Value] {
        names.reduce(into: [:]) { $0[$1] = probe($1) }
    }

    private static func namespacesMax() -> [String: Int] {
        (namespaces + ["time", "user"]).reduce(into: [:]) { found, kind in
            found[kind] = text("/proc/sys/user/max_\(kind)_namespaces").flatMap { Int($0) }
        }
    }

    /// For ordinary users a refusal says nothing about what root could do.
    private static func trial(
        isRoot: Bool, _ body: () throws(KernelError) -> Void
    ) -> HostFacts.Trial {
        do throws(KernelError) {
            try body()
            return .works
        } catch {
            return !isRoot && [EPERM, EACCES].contains(error.errno) ? .untried : .fails(error)
        }
    }

    private static func namespace(_ kind: String, isRoot: Bool) -> HostFacts.Trial {
        trial(isRoot: isRoot) { () throws(KernelError) in
            try makeNamespace(kind, isRoot: isRoot)
        }
    }

    /// EINVAL for a kind that does not exist.
    static func makeNamespace(_ kind: String, isRoot: Bool) throws(KernelError) {
        // The name is read during the call only; the child that makes it is gone when it returns.
        _ = try check("unshare", kind) { unsafe corral_probe_namespace(kind, !isRoot) }
    }

    /// EINVAL for a call that no probe knows.
    static func makeCall(_ name: String) throws(KernelError) {
        // The name is read during the call only.
        _ = try check(name) { unsafe corral_probe_call(name) }
    }

    private static func cgroups(isRoot: Bool) -> HostFacts.Cgroups {
        do throws(CgroupError) {
            let host = try CgroupHost.detect()
            var countsSwap = false
            var limitsDisks = false
            let making = trial(isRoot: isRoot) { () throws(KernelError) in
                countsSwap = try host.countsSwap()
                limitsDisks = try host.limitsDisks()
                try host.tryMaking("corral-doctor-\(getpid())")
            }
            return HostFacts.Cgroups(
                version: host.version, controllers: host.controllers.sorted(),
                missing: host.missing, making: making, countsSwap: countsSwap,
                limitsDisks: limitsDisks)
        } catch {
            return HostFacts.Cgroups(
                version: nil, controllers: [], missing: CgroupHost.required, making: .untried,
                countsSwap: false, limitsDisks: false)
        }
    }

    /// A small file's text without the line's end; nil when it cannot be read.
    private static func text(_ path: String) -> String? {
        do throws(KernelError) {
            return String(try Files.text(path).prefix { $0 != "\n" })
        } catch {
            return nil
        }
    }

    private static func swapBytes() -> UInt64 {
        do throws(KernelError) {
            return Self.swapBytes(meminfo: try Files.text("/proc/meminfo"))
        } catch {
            return 0
        }
    }

    /// The pure part: SwapTotal of /proc/meminfo, whose unit is 1024 bytes.
    static func swapBytes(meminfo: String) -> UInt64 {
        for line in meminfo.split(separator: "\n") where line.hasPrefix("SwapTotal:") {
            let words = line.split(separator: " ")
            if words.count >= 2, let kilobytes = UInt64(words[1]) { return kilobytes << 10 }
        }
        return 0
    }
}

extension HostProbe {
    /// The magic numbers of file systems that a state is likely to be on (statfs(2)).
    private static let fileSystems: [UInt64: String] = [
        0xEF53: "ext4", 0x5846_5342: "xfs", 0x9123_683E: "btrfs", 0x0102_1994: "tmpfs",
        0x794C_7630: "overlay", 0x2FC1_2FC1: "zfs", 0x6969: "nfs", 0xF2F5_2010: "f2fs",
    ]

    private static func place(_ state: String, uid: UInt32, isRoot: Bool) -> HostFacts.Place? {
        do throws(KernelError) {
            let path = try nearest(state)
            var type: UInt64 = 0
            var free: UInt64 = 0
            _ = try check("statfs", path) { unsafe corral_file_system(path, &type, &free) }
            let mapping =
                isRoot
                ? trial(isRoot: true) { () throws(KernelError) in try map(below: path, uid) }
                : .untried
            return HostFacts.Place(
                path: path,
                fileSystem: fileSystems[type] ?? "file system 0x" + String(type, radix: 16),
                freeBytes: free, mapping: mapping)
        } catch {
            return nil
        }
    }

    /// A directory, or the nearest one above it that is there.
    private static func nearest(_ path: String) throws(KernelError) -> String {
        var place = path
        while place.count > 1, try Files.status(place) == nil {
            place = String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)])
        }
        return place.isEmpty ? "/" : place
    }

    /// Maps an empty directory of its own: what is mounted below the state is not meant.
    private static func map(below path: String, _ uid: UInt32) throws(KernelError) {
        let directory = path + "/.corral-doctor-\(getpid())"
        try Files.makeDirectory(directory, mode: 0o700)
        do throws(KernelError) {
            let tree = try Tree(cloning: Descriptor.open(directory, O_RDONLY | O_DIRECTORY))
            try tree.restrict(readOnly: true)
            try tree.mapOwner(disk: (uid, uid), to: (uid + 1, uid + 1))
        } catch {
            try Files.removeDirectory(directory)
            throw error
        }
        try Files.removeDirectory(directory)
    }
}
