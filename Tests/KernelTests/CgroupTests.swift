import Glibc
import Testing

@testable import Kernel

@Suite(.enabled(if: geteuid() == 0, "needs root")) struct CgroupTests {
    static let limits = Cgroup.Limits(memoryBytes: 32 << 20, processes: 7, cpuMillicores: 500)

    /// Runs `body` in a group of its own and leaves nothing of it.
    private func withGroup(_ body: (Cgroup) throws -> Void) throws {
        let tree = try CgroupTree(
            host: .detect(), name: "corral-test-\(getpid())-\(System.monotonicMicroseconds)")
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
            func value(_ file: String) throws -> String? {
                for place in group.places {
                    let path = place.path + "/" + file
                    if try Files.status(path) != nil {
                        return String(try Files.text(path).dropLast())
                    }
                }
                return nil
            }
            let memory = group.version == .v2 ? "memory.max" : "memory.limit_in_bytes"
            #expect(try value(memory) == String(32 << 20))
            #expect(try value("pids.max") == "7")
            let cpu = try group.version == .v2 ? value("cpu.max") : value("cpu.cfs_quota_us")
            #expect(cpu == (group.version == .v2 ? "50000 100000" : "50000"))
        }
    }

    @Test func `usage starts at nothing and an empty group says so`() throws {
        try withGroup { group in
            #expect(try group.isEmpty())
            #expect(try group.usage().memoryKills == 0)
            #expect(try group.usage().processRefusals == 0)
        }
    }

    @Test func `a group is there until it is removed, and its name is recognisable`() throws {
        var paths: [String] = []
        try withGroup { group in
            paths = group.places.map(\.path)
            for path in paths { #expect(try Files.status(path) != nil) }
        }
        #expect(!paths.isEmpty && paths.allSatisfy { $0.contains("/corral-test-") })
        for path in paths { #expect(try Files.status(path) == nil) }
    }
}
