import CKernel
import Glibc
import Testing

@testable import Kernel

@Suite(.enabled(if: geteuid() == 0, "needs root")) struct CgroupMetersTests {
    private static let limits = Cgroup.Limits(
        memoryBytes: 128 << 20, processes: 8, cpuMillicores: 4_000)

    /// Runs `body` with a group of its own and what is counted of it; nothing of it is left.
    private func withMeters(_ body: (Cgroup, CgroupMeters) throws -> Void) throws {
        let number = try System.random(8).map { String($0, radix: 16) }.joined()
        let tree = try CgroupTree(host: .detect(), name: "corral-test-meters-\(number)")
        let group = try tree.makeGroup("sandbox-1", Self.limits)
        let meters = try group.meters()
        defer {
            for path in group.places.map(\.path) + tree.roots {
                do { try Files.removeDirectory(path) } catch { Issue.record("left: \(error)") }
            }
        }
        try body(group, meters)
    }

    /// Runs a Python program to its end in the group.
    private func run(_ program: String, in group: Cgroup) throws {
        let joining = group.places.map { "open('\($0.path)/cgroup.procs', 'w').write('0')" }
        let child = try Child.spawn(
            "/usr/bin/python3",
            arguments: ["-c", (joining + [program]).joined(separator: "\n")], environment: [],
            descriptors: [])
        var ending: Child.Ending?
        while ending == nil {
            var wait = pollfd(fd: child.pidfd.raw, events: Int16(POLLIN), revents: 0)
            _ = unsafe Glibc.poll(&wait, 1, 10_000)
            ending = try child.reap()
        }
        #expect(ending?.status == 0)
    }

    @Test func `processor time that a group uses is counted, that of others is not`() throws {
        let burn =
            "import time\nend = time.process_time() + 0.2\n"
            + "while time.process_time() < end: pass"
        try withMeters { group, meters in
            let before = try #require(meters.cpuMicroseconds())
            let end = System.monotonicMicroseconds + 20_000
            var turns = 0
            while System.monotonicMicroseconds < end { turns += 1 }
            #expect(turns > 0)
            let idle = try #require(meters.cpuMicroseconds())
            #expect(idle - before < 5_000)
            try run(burn, in: group)
            let used = try #require(meters.cpuMicroseconds()) - idle
            #expect((150_000...5_000_000).contains(used), "\(used)")
            #expect(try group.counters(beside: meters).usage().cpuMicroseconds >= 150_000)
        }
    }

    @Test func `a peak is one until it is set back, where the kernel can`() throws {
        try withMeters { group, meters in
            try run("x = b'x' * (50 << 20)", in: group)
            let high = try #require(meters.memoryPeakBytes())
            #expect(high > 50 << 20)
            guard meters.kinds.peak != .fixed else {
                print("KernelTests: this kernel cannot set a peak back (memory.peak before 6.12)")
                return #expect(!meters.resetPeak())
            }
            #expect(meters.resetPeak())
            try run("pass", in: group)
            let low = try #require(meters.memoryPeakBytes())
            #expect((1...40 << 20).contains(low), "\(low)")
        }
    }

    @Test func `nothing else can be done with what is handed out`() throws {
        try withMeters { group, meters in
            let raw = meters.raw
            try #require(raw.count == meters.kinds.count && raw.count == 2)
            let modes = raw.map { fcntl($0, F_GETFL) & O_ACCMODE }
            #expect(modes[0] == O_RDONLY)
            #expect(modes[1] == (meters.kinds.peak == .fixed ? O_RDONLY : O_RDWR))
            // Whatever is written to a peak sets it back and does no more: no limit moves.
            let limits = try group.holdings()
            for text in ["0", "max", "-1", "1 2 3"] where meters.kinds.peak != .fixed {
                let descriptor = Descriptor(owning: dup(raw[1]))
                do { try descriptor.write(Array(text.utf8)) } catch { continue }
            }
            #expect(try group.holdings() == limits)
            #expect(
                try #require(meters.cpuMicroseconds())
                    == group.counters(beside: meters).usage().cpuMicroseconds)
            // A file is no way into its directory, and its owner is root.
            #expect(unsafe corral_openat(raw[0], "..", O_RDONLY, 0) == -1 && errno == ENOTDIR)
            for number in raw {
                let status = try Descriptor(owning: dup(number)).status()
                #expect(status.uid == 0 && status.mode & 0o022 == 0)
            }
        }
    }

    @Test func `a group that is gone counts nothing any more`() throws {
        var kept: CgroupMeters?
        try withMeters { _, meters in kept = meters }
        #expect(kept?.cpuMicroseconds() == nil && kept?.memoryPeakBytes() == nil)
        #expect(kept?.resetPeak() == false)
    }

    @Test func `a counter is the number that its file begins with`() throws {
        let path = "/tmp/corral-test-counter-\(getpid())-\(System.monotonicMicroseconds)"
        defer { unsafe unlink(path) }
        for (text, name, expected) in [
            ("12\n", "", 12 as UInt64?), ("low 3\noom 4\noom_kill 5\n", "oom_kill ", 5),
            ("oom_kill_disable 1\n", "oom_kill ", nil),
            ("usage_usec 7\nuser_usec 3\n", "usage_usec ", 7),
            ("usage_usec 7\n", "", nil), ("", "", nil), ("max\n", "", nil),
            ("18446744073709551615", "", .max),
        ] {
            try Files.create(path, mode: 0o600, text: text)
            let file = try Descriptor.open(path, O_RDONLY)
            var value: UInt64 = 0
            let code = unsafe corral_read_counter(file.raw, name, &value)
            #expect((code == 0 ? value : nil) == expected, "\(text)")
            try Files.remove(path)
        }
    }
}
