import Glibc
import Testing

@testable import Kernel

private enum Host {
    static var isRoot: Bool { geteuid() == 0 }
}

@Suite(.enabled(if: Host.isRoot, "needs root")) struct CgroupTests {
    static let limits = Cgroup.Limits(memoryBytes: 32 << 20, processes: 7, cpuMillicores: 500)

    /// A name no other test has: these run at once, and a clock may tell two of them the same time.
    private static func freshName() throws -> String {
        let number = try System.random(8).map { String($0, radix: 16) }.joined()
        return "corral-test-\(getpid())-\(number)"
    }

    /// Runs `body` in a group of its own and leaves nothing of it.
    private func withGroup(_ body: (Cgroup) throws -> Void) throws {
        let tree = try CgroupTree(host: .detect(), name: Self.freshName())
        let group = try tree.makeGroup("sandbox-1", Self.limits)
        defer {
            for path in group.places.map(\.path) + tree.roots {
                do { try Files.removeDirectory(path) } catch { Issue.record("left: \(error)") }
            }
        }
        try body(group)
    }

    @Test func `the kernel has the limits that were asked for`() throws {
        try withGroup { group in
            let memory = group.version == .v2 ? "memory.max" : "memory.limit_in_bytes"
            let cpu = group.version == .v2 ? "cpu.max" : "cpu.cfs_quota_us"
            let found = try [memory, "pids.max", cpu].map { try value($0, of: group) }
            let quota = group.version == .v2 ? "50000 100000" : "50000"
            #expect(found == [String(32 << 20), "7", quota])
        }
    }

    @Test func `limits are read back, and one that was changed does not hold`() throws {
        try withGroup { group in
            let holdings = try group.holdings()
            #expect(holdings.count >= 4)
            #expect(holdings.allSatisfy { $0.holds }, "\(holdings)")
            #expect(try !group.contains(getpid()))
            let place = group.places.map(\.path).first { path in
                (try? Files.status(path + "/pids.max")) ?? nil != nil
            }
            try Files.write("max", to: try #require(place) + "/pids.max")
            let changed = try group.holdings().filter { !$0.holds }
            #expect(changed.map(\.file) == ["pids.max"])
            #expect(changed.map(\.found) == ["max"])
        }
    }

    @Test func `swap that nobody counts is refused, and none at all is not`() {
        #expect(Cgroup.refusal(meminfo: "MemTotal: 1 kB\nSwapTotal: 0 kB\n") == nil)
        let refusal = Cgroup.refusal(meminfo: "MemTotal: 1 kB\nSwapTotal: 64 kB\n")
        #expect(refusal?.step == "limit-swap")
        #expect(refusal?.hint.contains("swapaccount=1") == true)
    }

    @Test func `memory is counted in pages, rounded down`() {
        func holds(_ wanted: Int, _ found: String) -> Bool {
            Cgroup.Holding(file: "memory.max", wanted: String(wanted), found: found).holds
        }
        #expect(holds(1_000_000, "999424"))
        #expect(!holds(1_000_000, "1003520"))
        #expect(!holds(1_000_000, "100"))
        #expect(!holds(1_000_000, "max"))
    }

    private func value(_ file: String, of group: Cgroup) throws -> String? {
        for place in group.places {
            let path = place.path + "/" + file
            if try Files.status(path) != nil { return String(try Files.text(path).dropLast()) }
        }
        return nil
    }

    @Test func `usage starts at nothing and an empty group says so`() throws {
        try withGroup { group in
            let empty = try group.isEmpty()
            let usage = try group.counters(beside: group.meters()).usage()
            #expect(empty)
            #expect(usage.memoryKills == 0 && usage.processRefusals == 0)
        }
    }

    @Test func `a group is there until it is removed, and its name is recognisable`() throws {
        var paths: [String] = []
        try withGroup { group in
            paths = group.places.map(\.path)
            let there = try paths.map { try Files.status($0) != nil }
            #expect(there.allSatisfy { $0 })
        }
        #expect(!paths.isEmpty && paths.allSatisfy { $0.contains("/corral-test-") })
        let gone = try paths.map { try Files.status($0) == nil }
        #expect(gone.allSatisfy { $0 })
    }

    @Test func `what a killed predecessor left is ended and removed at the start`() throws {
        let name = try Self.freshName()
        let group = try CgroupTree(host: .detect(), name: name)
            .makeGroup("sandbox-1", Self.limits)
        let sleeper = try Child.spawn(
            "/bin/sleep", arguments: ["1000"], environment: [], descriptors: [])
        for place in group.places {
            try Files.write(String(sleeper.pid), to: place.path + "/cgroup.procs")
        }
        let next = try CgroupTree(host: .detect(), name: name)
        let gone = try group.places.map { try Files.status($0.path) == nil }
        #expect(gone.allSatisfy { $0 })
        try sleeper.end()
        // Its number is free again.
        try next.makeGroup("sandbox-1", Self.limits).remove()
        for root in next.roots { try Files.removeDirectory(root) }
    }

    /// Runs `body` with a group of version 2 that has two other members; not where there is none.
    private func withCrowd(_ body: (CgroupHost.Hierarchy) throws -> Void) throws {
        let host = try CgroupHost.detect()
        guard host.version == .v2 else {
            return print(
                "CgroupTests skipped: nobody shares a group where version 2 limits nothing")
        }
        let tree = try CgroupTree(host: host, name: Self.freshName())
        let one = try Child.spawn(
            "/bin/sleep", arguments: ["1000"], environment: [], descriptors: [])
        let other = try Child.spawn(
            "/bin/sleep", arguments: ["1000"], environment: [], descriptors: [])
        let path = tree.roots[0] + "/crowd"
        try Files.makeDirectory(path, mode: 0o755)
        for pid in [one.pid, other.pid] {
            try Files.write(String(pid), to: path + "/cgroup.procs")
        }
        try body(.init(base: path, controllers: host.hierarchies[0].controllers))
        try one.end()
        try other.end()
        for group in [path] + tree.roots { try Files.removeDirectory(group) }
    }

    @Test func `in a group with others nothing is moved or enabled, and the way out is named`()
        throws
    {
        try withCrowd { crowd in
            #expect(try UnifiedGroup.standing(in: crowd.base) == .shared(others: 2))
            let error = #expect(throws: CgroupError.self) { try UnifiedGroup.prepare(crowd) }
            #expect(error?.step == "delegate")
            #expect(error?.cause.contains("has 2 other processes") == true)
            #expect(error?.hint.contains("systemd-run --scope --property=Delegate=yes") == true)
            let members = try Files.text(crowd.base + "/cgroup.procs").split(separator: "\n")
            #expect(members.count == 2)
            #expect(try Files.text(crowd.base + "/cgroup.subtree_control").count <= 1)
            #expect(try Files.status(crowd.base + UnifiedGroup.leaf) == nil)
        }
    }

    @Test func `a process in a prepared leaf uses the group around it`() throws {
        let host = try CgroupHost.detect()
        guard host.version == .v2 else {
            return print("CgroupTests skipped: there is no leaf where version 2 limits nothing")
        }
        let own = host.hierarchies[0]
        try #require(own.base.hasSuffix(UnifiedGroup.leaf), "run by scripts/delegated.sh")
        let parent = String(own.base.dropLast(UnifiedGroup.leaf.utf8.count))
        #expect(try UnifiedGroup.standing(in: own.base) == .leaf(of: parent))
        #expect(try UnifiedGroup.prepare(own).base == parent)
    }
}
