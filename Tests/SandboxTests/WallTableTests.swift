import Glibc
import Kernel
import Testing

@testable import Sandbox

/// Every step of the launcher, every part of one and every limit of a cgroup has a counter-proof,
/// or a reason for having none: a wall that is added without either fails here.
@Suite(.enabled(if: Host.canLaunch, Host.reason)) struct WallTableTests {
    /// Walls whose absence the start itself cannot survive, and the step at which it ends.
    static let needed = [
        "private-mounts": "pivot", "pivot": "mount-scratch", "mount-proc": "oom-score",
    ]

    /// Walls with a proof of their own, and the file it is in.
    static let elsewhere = [
        "cgroup.cpu": "SandboxTests/CounterProofTests.swift",
        "reduce-privilege": "SandboxTests/WallTableTests.swift",
        "die-with-supervisor": "IntegrationTests/SupervisorDeathTests.swift",
    ]

    /// What has no proof, and why.
    static let reasons = [
        "read-plan": gives, "open-sources": gives, "mount-root": gives, "make-directories": gives,
        "make-devices": gives, "make-links": gives, "write-files": gives, "read-launch": gives,
        "mount-trees": gives, "fork-tool": gives, "standard-streams": gives,
        "working-directory": gives, "execute": gives,
        "bind-trees": byParts, "clone": byParts, "mount-scratch": byParts,
        "parent-death": "no step of a table; make test-orphans kills supervisors",
        "mount-namespace": "the next steps would change the mounts of the host that tests run on",
        "cgroup.swap": "needs a host with swap; CgroupTests read the limit back",
    ]
    private static let gives = "gives the tool something: without it the tool has less, not more"
    private static let byParts = "its parts have their own: the step itself gives"

    @Test func `each wall has a counter-proof or a reason for having none`() throws {
        let proven = Set(CounterProof.all.flatMap(\.wall))
        let tables = [
            proven, Set(Self.needed.keys), Set(Self.elsewhere.keys), Set(Self.reasons.keys),
        ]
        let walls = try Set(Self.stepsAndParts() + Self.cgroupLimits())
        #expect(walls.count > 60)
        for wall in walls.sorted() {
            #expect(tables.count { $0.contains(wall) } == 1, "\(wall)")
        }
        let stale = tables.reduce(Set()) { $0.union($1) }.subtracting(walls)
        #expect(stale.isEmpty, "no such wall")
        for (wall, file) in Self.elsewhere {
            #expect(try Files.text("\(Bait.top)/Tests/\(file)").contains("\"\(wall)\""), "\(wall)")
        }
    }

    @Test(arguments: needed.keys.sorted())
    func `without a wall that the rest needs nothing starts`(wall: String) throws {
        // Where everything is shared, as systemd has it: a tree that is private already shows less.
        // Shared among its own, that is: what is mounted there must not reach the host.
        let launcher = "/var/tmp/corral-test-shared-\(getpid())-\(System.monotonicMicroseconds)"
        let real = try #require(Host.launcher)
        try Files.create(
            launcher, mode: 0o755,
            text: """
                #!/bin/sh
                exec /usr/bin/unshare -m --propagation private /bin/sh -c \
                    '/usr/bin/mount --make-rshared / && exec "$0" "$@"' \(real) "$@"

                """)
        try Files.setMode(launcher, 0o755)
        defer { do { try Files.remove(launcher) } catch { Issue.record("left: \(error)") } }
        let complete = try Confined(launcher: launcher).run(Confined.plan(["/bin/true"]))
        #expect(complete.status == 0, "\(complete)")
        var step: String?
        do {
            step = try Confined(without: [wall], launcher: launcher)
                .run(Confined.plan(["/bin/true"])).failure?.step
        } catch let error as SandboxError {
            step = error.step
        }
        #expect(step == Self.needed[wall])
    }

    @Test func `the zygote keeps only the capabilities that starts need`() throws {
        let kept = try Self.capabilities()
        let all = try Self.capabilities(without: ["reduce-privilege"])
        // CAP_CHOWN, SETGID, SETUID, SETPCAP, SYS_ADMIN; SYS_RESOURCE and SYS_TIME if there.
        let most: UInt64 = 1 << 0 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 21 | 1 << 24 | 1 << 25
        #expect(kept != 0 && kept & ~most == 0)
        #expect(all & ~most != 0)
    }

    private static func capabilities(without walls: [String] = []) throws -> UInt64 {
        let confined = try Confined(without: walls)
        let status = try Files.text("/proc/\(confined.template.pid)/status")
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("CapPrm:") })
        return try #require(UInt64(line.dropFirst(8), radix: 16))
    }

    private static func stepsAndParts() throws -> [String] {
        let output = try Pipe()
        let walls = try Child.spawn(
            "/bin/sh", arguments: ["-c", #"exec "$0" walls >&3"#, #require(Host.launcher)],
            environment: [], descriptors: [output.write.raw])
        let told = try output.read.duplicate()
        _ = consume output
        let text = try String(decoding: told.readAll(limit: 1 << 16), as: UTF8.self)
        try walls.end()
        return text.split(separator: "\n").map(String.init)
    }

    /// The limits of a cgroup by the version-free names that proofs have.
    private static func cgroupLimits() throws -> [String] {
        let names = [
            "memory.max": "memory", "memory.limit_in_bytes": "memory", "memory.oom.group": "memory",
            "memory.swap.max": "swap", "memory.memsw.limit_in_bytes": "swap", "pids.max": "pids",
            "cpu.max": "cpu", "cpu.cfs_period_us": "cpu", "cpu.cfs_quota_us": "cpu",
            "io.max": "io", "blkio.throttle.read_bps_device": "io",
        ]
        let limited = try LimitedGroup()
        let files = try limited.group.holdings().map(\.file)
        try limited.remove()
        // Not every kernel accounts for swap, and not every host can limit disks.
        return try ["cgroup.swap", "cgroup.io"]
            + files.map { try "cgroup." + #require(names[$0], "\($0)") }
    }
}
