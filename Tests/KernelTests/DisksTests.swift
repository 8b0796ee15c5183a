import Glibc
import Testing

@testable import Kernel

@Suite struct DisksTests {
    private static let mounts = """
        27 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
        28 27 254:2 / /usr ro,relatime - ext4 /dev/vda2 rw
        29 28 8:1 / /usr/local rw,relatime - ext4 /dev/sda1 rw
        30 27 0:26 / /run rw,relatime - tmpfs run rw
        31 27 0:27 / /usrx rw,relatime - btrfs /dev/sdb rw
        32 27 254:1 /x /srv rw,relatime - ext4 /dev/vda1 rw
        33 32 0:28 / /srv rw,relatime - overlay none rw
        """

    /// A kernel whose partitions are on 254:0 and 8:0.
    private func disks(_ places: String...) throws -> Disks {
        try Disks(places, mounts: Self.mounts) { mount throws(KernelError) in
            switch mount.device.prefix(2) {
            case "25": .disk("254:0")
            case "8:": .disk("8:0")
            default: .none("\(mount.kind) has no disk")
            }
        }
    }

    @Test func `a place is on the disk that its mount is on, and shows those mounted below`()
        throws
    {
        #expect(try disks("/home/ann").numbers == ["254:0"])
        #expect(try disks("/usr").numbers == ["254:0", "8:0"])
        #expect(try disks("/usr/bin", "/etc").numbers == ["254:0"])
        #expect(try disks("/usr/local/lib").numbers == ["8:0"])
        #expect(try disks("/usr", "/etc").without == [])
    }

    @Test func `what is on no disk is told once, and a mount that is hidden by another is not`()
        throws
    {
        let found = try disks("/run/a", "/run/b", "/usrx", "/srv/data")
        #expect(found.numbers == [])
        #expect(
            found.without == [
                "/run: tmpfs has no disk", "/usrx: btrfs has no disk", "/srv: overlay has no disk",
            ])
        #expect(try disks() == disks())
    }

    /// A sysfs with a disk 8:0, its partition 8:1, and 7:0, which has no queue.
    private func withSystem(_ body: (String) throws -> Void) throws {
        let top = "/tmp/corral-test-disks-\(getpid())-\(System.monotonicMicroseconds)"
        defer { do { try Files.removeTree(top) } catch { Issue.record("left: \(error)") } }
        let disk = top + "/devices/sda"
        for place in [disk + "/queue", disk + "/sda1", top + "/devices/odd", top + "/dev/block"] {
            try Files.makeDirectories(place, mode: 0o755)
        }
        try Files.create(disk + "/dev", mode: 0o644, text: "8:0\n")
        try Files.create(disk + "/sda1/partition", mode: 0o644, text: "1\n")
        for (name, target) in [("8:0", "sda"), ("8:1", "sda/sda1"), ("7:0", "odd")] {
            let link = "\(top)/dev/block/\(name)"
            _ = try check("symlink", link) { unsafe symlink("../../devices/\(target)", link) }
        }
        try body(top)
    }

    @Test func `a partition stands for its whole disk, and a device without requests for none`()
        throws
    {
        try withSystem { system in
            func look(_ device: String) throws -> Disks.Look {
                let line = "1 1 \(device) / / rw - ext4 x rw"
                return try Disks.look(#require(MountInfo(Substring(line))), system: system)
            }
            let found = try ["8:0", "8:1", "7:0", "9:9", "0:9"].map(look)
            #expect(
                found == [
                    .disk("8:0"), .disk("8:0"), .none("disk 7:0 has no request queue"),
                    .none("disk 9:9 has no request queue"), .none("ext4 has no disk"),
                ])
        }
    }

    @Test func `paths of this host lead somewhere, through links and past what is not there`()
        throws
    {
        let found = try Disks(below: ["/usr", "/bin", "/no/such/path"])
        #expect(found.numbers.count + found.without.count > 0)
        #expect(try Disks(below: ["/no/such/path"]) == Disks(below: []))
        #expect(try Disks(below: ["/proc"]).without.first == "/proc: proc has no disk")
    }

    @Test func `each version has its own lines, and none for a rate that is open`() {
        let rates = Cgroup.DiskRates(
            readBytes: 1 << 20, writes: 50, disks: ["254:0", "8:0"])
        func lines(_ version: CgroupHost.Version) -> [String] {
            Cgroup.settings(rates, version).map { "\($0.controller) \($0.file) \($0.value)" }
        }
        #expect(
            lines(.v2) == [
                "io io.max 254:0 rbps=1048576 wbps=max riops=max wiops=50",
                "io io.max 8:0 rbps=1048576 wbps=max riops=max wiops=50",
            ])
        #expect(
            lines(.v1) == [
                "blkio blkio.throttle.read_bps_device 254:0 1048576",
                "blkio blkio.throttle.write_iops_device 254:0 50",
                "blkio blkio.throttle.read_bps_device 8:0 1048576",
                "blkio blkio.throttle.write_iops_device 8:0 50",
            ])
    }
}

@Suite(.enabled(if: geteuid() == 0, "needs root")) struct DiskRateTests {
    /// Runs `body` in a group with rates on the disk of /usr, and leaves nothing of it.
    private func withGroup(_ body: (Cgroup) throws -> Void) throws {
        let number = try System.random(8).map { String($0, radix: 16) }.joined()
        let tree = try CgroupTree(host: .detect(), name: "corral-test-\(getpid())-\(number)")
        defer {
            for root in tree.roots {
                do { try Files.removeDirectory(root) } catch { Issue.record("left: \(error)") }
            }
        }
        let disks = try Disks(below: ["/usr"]).numbers
        guard tree.limitsDisks, !disks.isEmpty else {
            return print("DiskRateTests skipped: no controller of disks, or /usr is on none")
        }
        var limits = CgroupTests.limits
        limits.disks = .init(
            readBytes: 2 << 20, writeBytes: 1 << 20, reads: 100, writes: 50, disks: disks)
        let group = try tree.makeGroup("sandbox-1", limits)
        defer { do { try group.remove() } catch { Issue.record("left: \(error)") } }
        try body(group)
    }

    @Test func `the kernel has the rates, tells them back, and lets go of them`() throws {
        try withGroup { group in
            let rates = try group.holdings().filter { holding in
                ["io.", "blkio."].contains { holding.file.hasPrefix($0) }
            }
            #expect(!rates.isEmpty && rates.allSatisfy { $0.holds }, "\(rates)")
            try group.liftDiskRates()
            let lifted = try group.holdings().filter { !$0.holds }
            #expect(lifted.map(\.file) == rates.map(\.file))
            #expect(lifted.allSatisfy { $0.found.isEmpty })
        }
    }

    @Test func `a group without rates is in no hierarchy for disks alone`() throws {
        try withGroup { group in
            let alone = group.places.filter { $0.controllers == ["blkio"] }
            #expect(alone.count == (group.version == .v1 ? 1 : 0))
        }
        let host = try CgroupHost.detect()
        let number = try System.random(8).map { String($0, radix: 16) }.joined()
        let tree = try CgroupTree(host: host, name: "corral-test-\(getpid())-\(number)")
        let group = try tree.makeGroup("sandbox-1", CgroupTests.limits)
        #expect(!group.places.contains { $0.controllers == ["blkio"] })
        try group.remove()
        for root in tree.roots { try Files.removeDirectory(root) }
    }
}
