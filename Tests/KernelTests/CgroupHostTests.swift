import Testing

@testable import Kernel

@Suite struct CgroupHostTests {
    static let unified = """
        24 1 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
        """
    static let hybrid = """
        30 24 0:25 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
        31 24 0:26 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
        32 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
        33 24 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
        34 24 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
        """

    private func detect(
        _ mounts: String, _ membership: String, unified controllers: String
    ) throws -> CgroupHost {
        try CgroupHost.detect(mounts: mounts, membership: membership) { _ in controllers }
    }

    @Test func `version 2 is used where it has the controllers`() throws {
        let host = try detect(
            Self.unified, "0::/system.slice/corrald.service\n", unified: "cpu io memory pids\n")
        #expect(host.version == .v2)
        #expect(host.missing.isEmpty)
        #expect(host.hierarchies.map(\.base) == ["/sys/fs/cgroup/system.slice/corrald.service"])
    }

    @Test func `a hybrid host without controllers in version 2 is used as version 1`() throws {
        let host = try detect(
            Self.hybrid, "4:memory:/a\n3:pids:/\n2:cpu,cpuacct:/b\n1:name=systemd:/\n0::/\n",
            unified: "\n")
        #expect(host.version == .v1)
        #expect(host.missing.isEmpty)
        #expect(
            host.hierarchies.map(\.base) == [
                "/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/cpu,cpuacct/b",
            ])
    }

    @Test func `a missing controller is named`() throws {
        let mounts = Self.hybrid.split(separator: "\n").filter { !$0.contains("pids") }
        let host = try detect(
            mounts.joined(separator: "\n"), "4:memory:/\n2:cpu,cpuacct:/\n0::/\n", unified: "")
        #expect(host.missing == ["pids"])
        #expect(throws: CgroupError.self) { try CgroupTree(host: host, name: "corral-test") }
    }

    @Test func `a mount that shows a part of the hierarchy is told from a whole one`() throws {
        let mounts = "24 1 0:22 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
        let host = try detect(mounts, "0::/docker/x/init\n", unified: "cpu memory pids")
        #expect(host.hierarchies.map(\.base) == ["/sys/fs/cgroup/init"])
    }

    @Test func `nothing mounted means everything missing`() throws {
        #expect(try detect("", "", unified: "").missing == ["memory", "pids", "cpu", "cpuacct"])
    }

    @Test func `version 1 without a counter of CPU time is not enough`() throws {
        let mounts = Self.hybrid.replacing("cpu,cpuacct", with: "cpu")
        let host = try detect(mounts, "4:memory:/\n3:pids:/\n2:cpu:/\n0::/\n", unified: "")
        #expect(host.missing == ["cpuacct"])
    }

    @Test func `a mount point's escapes are read`() throws {
        let line =
            #"42 60 254:0 /a\134b /tmp/x\040y\011\9 ro,nodev - ext4 /dev/vda rw,data=ordered"#
        let mount = try #require(MountInfo(Substring(line)))
        #expect(mount.root == #"/a\b"#)
        #expect(mount.point == "/tmp/x y\t\\9")
        #expect(mount.options == ["ro", "nodev"])
        #expect(mount.fileSystemOptions == ["rw", "data=ordered"])
    }
}
