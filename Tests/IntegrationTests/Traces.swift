import Glibc
import Kernel

/// What one Corral has on this machine: found by its users, its programs and what hangs below them.
struct Traces {
    let directory: String
    let users: ClosedRange<UInt32>
    /// Cgroups and namespaces that a member has been seen in.
    private var cgroupsSeen: Set<String> = []
    private var namespacesSeen: Set<String> = []

    init(of corral: Corral) {
        directory = corral.directory
        users = corral.users
    }

    /// Looks once, and remembers what it saw.
    mutating func look() throws -> Counts {
        let members = try members()
        let own = Set(namespaces(of: "self"))
        for pid in members {
            cgroupsSeen.formUnion(cgroups(of: pid))
            namespacesSeen.formUnion(namespaces(of: "\(pid)").filter { !own.contains($0) })
        }
        // A stranger in one means that its number was given out again, which the kernel does at
        // once: members hand none on, so nobody else gets in.
        var held: Set<String> = []
        for pid in members { held.formUnion(namespaces(of: "\(pid)") + openNamespaces(of: pid)) }
        let mounts = try Files.text("/proc/self/mountinfo", limit: 4 << 20).split(separator: "\n")
        return Counts(
            processes: members.count,
            cgroups: cgroupsSeen.count { Host.exists($0) },
            namespaces: namespacesSeen.intersection(held).count,
            mounts: mounts.count { $0.contains(directory) })
    }

    /// How many of each kind there are.
    struct Counts: Equatable, CustomStringConvertible {
        var processes: Int
        var cgroups: Int
        var namespaces: Int
        /// In the host's mount namespace: there must never be one.
        var mounts: Int

        static let none = Counts(processes: 0, cgroups: 0, namespaces: 0, mounts: 0)
        var description: String {
            "\(processes) processes, \(cgroups) cgroups, \(namespaces) namespaces, \(mounts) mounts"
        }
    }

    /// Looks until nothing is left or the patience is over, and answers the last look.
    mutating func settled() throws -> Counts {
        var counts = try look()
        _ = try withinASecond {
            counts = try look()
            return counts == .none
        }
        return counts
    }

    /// Pids of living sandboxed processes. The range's last two users are the broker's and the
    /// gateway's, where the host has no users for them.
    func sandboxed() throws -> [Int32] {
        let users = users.lowerBound..<users.upperBound - 1
        return try Self.pids().filter { status(of: $0).map { users.contains($0.uid) } ?? false }
    }

    /// The pid of one of our programs, by name.
    func pid(of program: String) throws -> Int32 {
        let path = "\(directory)/bin/\(program)"
        for pid in try Self.pids() where executable(of: pid) == path && status(of: pid) != nil {
            return pid
        }
        throw HarnessError("no \(program) runs")
    }

    /// The pid of the process that tidies up when corrald is gone.
    func sweeper() throws -> Int32 {
        for pid in try Self.pids() where executable(of: pid).hasPrefix(directory + "/") {
            let words = try Files.text("/proc/\(pid)/cmdline").split(separator: "\0")
            if words.contains("sweep"), status(of: pid) != nil { return pid }
        }
        throw HarnessError("no sweeper runs")
    }

    private func members() throws -> Set<Int32> {
        var parents: [Int32: Int32] = [:]
        var ours: Set<Int32> = []
        for pid in try Self.pids() {
            guard let status = status(of: pid) else { continue }
            parents[pid] = status.parent
            let isOurs =
                users.contains(status.uid) || executable(of: pid).hasPrefix(directory + "/")
            if isOurs { ours.insert(pid) }
        }
        var grown = true
        while grown {
            let below = parents.filter { ours.contains($0.value) && !ours.contains($0.key) }.keys
            ours.formUnion(below)
            grown = !below.isEmpty
        }
        return ours
    }
}

extension Traces {
    private static func pids() throws -> [Int32] {
        try Files.names(in: "/proc").compactMap { Int32($0) }
    }

    /// Parent and user of a living process; nil for one that has ended.
    private func status(of pid: Int32) -> (parent: Int32, uid: UInt32)? {
        // A process may end between listing and reading: then it is not there, which is the answer.
        guard let text = try? Files.text("/proc/\(pid)/status") else { return nil }
        var parent: Int32?
        var uid: UInt32?
        for line in text.split(separator: "\n") {
            let words = line.split { $0 == "\t" || $0 == " " }
            guard words.count > 1 else { continue }
            switch words[0] {
            case "State:": if words[1] == "Z" || words[1] == "X" { return nil }
            case "PPid:": parent = Int32(words[1])
            case "Uid:": uid = UInt32(words[1])
            default: break
            }
        }
        guard let parent, let uid else { return nil }
        return (parent, uid)
    }

    private func executable(of pid: Int32) -> String {
        // The same: gone already, or a kernel thread without a program.
        (try? Files.linkTarget("/proc/\(pid)/exe")).flatMap { $0 } ?? ""
    }

    private func namespaces(of pid: String) -> [String] {
        let kinds = ["mnt", "pid", "net", "ipc", "uts", "cgroup", "user"]
        return kinds.compactMap { kind in
            // The same.
            (try? Files.linkTarget("/proc/\(pid)/ns/\(kind)")).flatMap { $0 }
        }
    }

    /// Those that a process holds open.
    private func openNamespaces(of pid: Int32) -> [String] {
        // The same.
        let open = (try? Files.names(in: "/proc/\(pid)/fd")) ?? []
        return open.compactMap { (try? Files.linkTarget("/proc/\(pid)/fd/\($0)")).flatMap { $0 } }
    }

    /// Directories of the cgroups that Corral made for a process, in each hierarchy.
    private func cgroups(of pid: Int32) -> [String] {
        // The same.
        guard let text = try? Files.text("/proc/\(pid)/cgroup") else { return [] }
        return text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[2].contains("corral-") else { return nil }
            let unified = Host.exists("/sys/fs/cgroup/cgroup.controllers") ? "" : "/unified"
            let name = parts[1].split(separator: "=").last.map { "/\($0)" }
            return "/sys/fs/cgroup" + (parts[1].isEmpty ? unified : name ?? "") + parts[2]
        }
    }
}
