import Sandbox
import SupervisorProtocol
import Testing

@testable import Kernel
@testable import Policy
@testable import Supervisor

/// One way in which a sandbox can be less than its policy wants, and the row that must tell.
struct Weakness: Sendable {
    let group: String
    let name: String
    let apply: @Sendable (inout PostureReading) -> Void

    init(
        _ group: String, _ name: String, _ apply: @escaping @Sendable (inout PostureReading) -> Void
    ) {
        self.group = group
        self.name = name
        self.apply = apply
    }
}

@Suite struct PostureRowsTests {
    static let uid: UInt32 = 2_000_000_001
    static let walls = walls("")

    /// What a policy of these keys wants, beside what tests need of any.
    static func walls(_ keys: String) -> Walls {
        let text = """
            version: 1
            name: p
            filesystem: {read: [/usr, /etc/gone]}
            \(keys)
            """
        do {
            return Walls(
                plan, of: try Policy.read(Array(text.utf8), file: "p.yaml"), prefix: "/p")
        } catch {
            preconditionFailure("a mistake in a test's own policy: \(error)")
        }
    }

    static let plan =
        LaunchPlan(
            uid: 0, scratchBytes: 64 << 20, cpuSeconds: 600, fileBytes: 1 << 20, openFiles: 256,
            hostname: "git", directory: "/home/tool",
            trees: [.init(path: "/srv/a b", writable: true)], arguments: [], environment: [])

    static let scratch = "rw,size=65536k,nr_inodes=16384,mode=755"
    static let mounts = #"""
        50 49 0:39 / / ro,nosuid,nodev,relatime - tmpfs corral rw,size=1024k,mode=755
        51 50 0:40 / /dev ro,nosuid,noexec,relatime - tmpfs corral rw,size=64k,mode=755
        52 50 254:0 /usr /usr ro,nosuid,nodev,relatime - ext4 /dev/vda rw
        53 52 254:1 / /usr/local ro,nosuid,nodev,relatime - ext4 /dev/vdb rw
        54 50 254:0 /var/x /opt/card ro,nosuid,nodev,relatime - ext4 /dev/vda rw
        58 50 0:42 / /proc rw,nosuid,nodev,noexec - proc proc rw,hidepid=invisible,subset=pid
        59 50 0:43 / /scratch rw,nosuid,nodev - tmpfs scratch \#(scratch)
        60 50 0:43 /tmp /tmp rw,nosuid,nodev - tmpfs scratch \#(scratch)
        61 50 0:43 /home /home/tool rw,nosuid,nodev - tmpfs scratch \#(scratch)
        62 51 0:43 /shm /dev/shm rw,nosuid,nodev - tmpfs scratch \#(scratch)
        63 50 254:0 /srv/a\040b /srv/a\040b rw,nosuid,nodev,idmapped - ext4 /dev/vda rw
        """#
    static let limits = """
        Limit                     Soft Limit           Hard Limit           Units
        Max cpu time              600                  601                  seconds
        Max file size             1048576              1048576              bytes
        Max stack size            8388608              unlimited            bytes
        Max core file size        1                    1                    bytes
        Max open files            64                   128                  files
        Max locked memory         0                    0                    bytes
        Max msgqueue size         0                    0                    bytes
        Max nice priority         0                    0
        Max realtime priority     0                    0
        """

    static var good: PostureReading {
        var process = PostureReading.Process()
        process.status = PostureTests.good
        process.namespaces = PostureTests.other
        process.uidMap = "      1000 2000000001          1\n"
        process.gidMap = process.uidMap
        process.projectMap = process.uidMap
        process.setgroups = "deny\n"
        process.descriptors = [0: "pipe:[1]"]
        process.limits = limits
        process.stat = "26068 (a) b (c) S 26067 26067 26067 0 -1 4194560"
        process.oomScore = "500\n"
        var reading = PostureReading()
        process.pid = 70
        reading.initial = process
        process.pid = 71
        reading.tool = process
        process.pid = 72
        reading.others = [process]
        reading.members = [70, 71, 72]
        reading.mounts = mounts
        reading.initialOwner = 0
        reading.network = NetworkReading(meantFor: nil)
        reading.landlock = 7
        return reading
    }

    private func rows(
        _ reading: PostureReading, _ walls: Walls = PostureRowsTests.walls
    ) -> [PostureRow] {
        PostureRows(
            reading: reading, walls: walls, uid: Self.uid, own: PostureTests.own
        ).all()
    }

    @Test func `a sandbox as it must be has no difference`() {
        let rows = rows(Self.good)
        #expect(rows.filter { !$0.ok } == [])
        #expect(rows.count > 40)
        #expect(rows.contains { $0.name == "/etc/gone" && $0.found.hasPrefix("not there") })
        #expect(Set(rows.map { $0.group + "/" + $0.name }).count == rows.count)
    }

    @Test(arguments: [
        Weakness("namespaces", "net") { $0.tool?.namespaces["net"] = "net:[4]" },
        Weakness("namespaces", "time") { $0.tool?.namespaces["time"] = nil },
        Weakness("namespaces", "pid 1") { $0.initial.namespaces["mnt"] = "mnt:[2]" },
        Weakness("network", "devices") { $0.network?.devices.append("veth0 up") },
        Weakness("network", "default routes") { $0.network?.routes = ["IPv4 type 1 default"] },
        Weakness("network", "rules") {
            $0.network?.tables = NetworkReading(meantFor: .gateway(loopback: true)).tables
        },
        Weakness("network", "listeners") { $0.network?.listeners = ["tcp 00000000:80"] },
        Weakness("network", "namespace") { $0.network = nil },
        Weakness("identity", "uid map") { $0.tool?.uidMap = "0 0 4294967295" },
        Weakness("identity", "project map") { $0.tool?.projectMap = "" },
        Weakness("identity", "setgroups") { $0.tool?.setgroups = "allow" },
        Weakness("processes", "pid 1") { $0.initial.status += "\nCapEff: 1" },
        Weakness("processes", "pid 1") { $0.initial.oomScore = "0" },
        Weakness("processes", "pid 1") { $0.members.remove(70) },
        Weakness("processes", "the tool") { $0.members = [70, 72] },
        Weakness("processes", "others") { $0.others[0].status += "\nNoNewPrivs: 0" },
        Weakness("processes", "pid 72") { $0.others[0].status += "\nCapPrm: 2" },
        Weakness("processes", "pid 72") { $0.others[0].status += "\nSeccomp_filters: 2" },
        Weakness("processes", "pid 72") { $0.others[0].namespaces["net"] = "net:[4]" },
        Weakness("processes", "pid 72") { $0.others[0].namespaces = [:] },
        Weakness("processes", "pid 72") { $0.others[0].limits = "" },
        Weakness("processes", "pid 72") { $0.others[0].stat = "1 (a) S 1 1 1 34816 1" },
        Weakness("processes", "pid 72") { $0.others[0].oomScore = "" },
        Weakness("processes", "pid 72") { $0.members = [70, 71] },
        Weakness("processes", "…") { $0.isCut = true },
        Weakness("namespaces", "ipc") { $0.tool?.namespaces["ipc"] = "ipc:[77]" },
        Weakness("landlock", "version") { $0.landlock = 0 },
        Weakness("privilege", "pid 1 traceable") { $0.initialOwner = 2_000_000_001 },
        Weakness("privilege", "controlling terminal") { $0.tool?.stat = "1 (a) S 1 1 1 34816 1" },
        Weakness("privilege", "controlling terminal") { $0.tool?.stat = "" },
        Weakness("system calls", "filters") { $0.tool?.status += "\nSeccomp_filters: 2" },
        Weakness("resources", "open files") {
            $0.tool?.limits = limits.replacing("128  ", with: "512  ")
        },
        Weakness("resources", "core file size") {
            $0.tool?.limits = limits.replacing(
                "core file size        1                    1 ",
                with: "core file size        0                    0 ")
        },
        Weakness("resources", "nice priority") {
            $0.tool?.limits = limits.replacing(
                "nice priority         0                    0",
                with: "nice priority         0                    40")
        },
        Weakness("resources", "cpu time") { $0.tool?.limits = "" },
        Weakness("resources", "oom score") { $0.tool?.oomScore = "-1000" },
        Weakness("mounts", "/") { $0.mounts = $0.mounts.replacing("/ / ro", with: "/ / rw") },
        Weakness("mounts", "/proc") { $0.mounts = $0.mounts.replacing(",subset=pid", with: "") },
        Weakness("mounts", "/tmp") { $0.mounts = $0.mounts.replacing("65536k", with: "1g") },
        Weakness("mounts", "/") { $0.mounts = $0.mounts.replacing("size=1024k", with: "size=1g") },
        Weakness("mounts", "/tmp") { $0.mounts = $0.mounts.replacing("16384", with: "99999") },
        Weakness("mounts", "/usr") {
            $0.mounts = $0.mounts.replacing(
                "/usr ro,nosuid,nodev,relatime -",
                with: "/usr ro,nosuid,nodev,relatime master:1 -")
        },
        Weakness("mounts", "/usr") {
            $0.mounts = $0.mounts.replacing("/usr/local ro", with: "/usr/local rw")
        },
        Weakness("mounts", "/opt/card") {
            $0.mounts = $0.mounts.replacing("/opt/card ro,nosuid", with: "/opt/card ro")
        },
        Weakness("mounts", "/srv/a b") {
            $0.mounts = $0.mounts.replacing("/srv/a\\040b rw", with: "/elsewhere rw")
        },
        Weakness("mounts", "/etc/shadow") {
            $0.mounts += "\n70 50 254:0 /etc/shadow /etc/shadow ro,nosuid,nodev - ext4 /dev/vda rw"
        },
        Weakness("mounts", "/tmp") {
            $0.mounts += "\n71 60 254:0 /root /tmp ro,nosuid,nodev - ext4 /dev/vda rw"
        },
        Weakness("descriptors", "pid 1") { $0.initial.descriptors[5] = "/etc" },
    ])
    func `each wall that is down is told by its row`(weakness: Weakness) {
        var reading = Self.good
        weakness.apply(&reading)
        #expect(reading != Self.good)
        let wrong = rows(reading).filter { !$0.ok }
        #expect(wrong.contains { $0.group == weakness.group && $0.name == weakness.name })
    }

    @Test func `a wall that a policy does without is no difference, and says where that stands`() {
        var reading = Self.good
        reading.tool?.namespaces["time"] = PostureTests.own.namespaces["time"]
        reading.initial.namespaces["time"] = PostureTests.own.namespaces["time"]
        reading.others = []
        #expect(rows(reading).filter { !$0.ok }.map(\.name) == ["time", "pid 1"])
        let rows = rows(reading, Self.walls("landlock: off\ntime_namespace: off"))
        #expect(rows.filter { !$0.ok } == [])
        let time = rows.first { $0.group == "namespaces" && $0.name == "time" }
        #expect(time?.wanted == "off (p.yaml:5:17)")
        #expect(time?.found == "the host's: time:[8]")
        #expect(rows.first { $0.group == "landlock" }?.wanted == "off (p.yaml:4:11)")
    }

    @Test func `rates on disks are told line by line, and what they miss with its reason`() {
        var reading = Self.good
        let wanted = "254:0 rbps=1048576 wbps=max riops=max wiops=max"
        reading.holdings = [.init(file: "io.max", wanted: wanted, found: wanted)]
        var walls = Self.walls
        walls.unlimitedDisks = ["/run: tmpfs has no disk"]
        let told = rows(reading, walls).filter { $0.group == "cgroup" }
        #expect(told.map(\.name) == ["io.max", "limits.io"])
        #expect(told.map(\.found) == [wanted, "not limited: /run: tmpfs has no disk"])
        #expect(told.allSatisfy { $0.ok })
        reading.holdings = [.init(file: "io.max", wanted: wanted, found: "")]
        #expect(rows(reading, walls).filter { !$0.ok }.map(\.name) == ["io.max"])
    }

    @Test func `what a tool chooses cannot make the answer too long to send`() {
        var reading = Self.good
        for number in 0..<300 {
            reading.tool?.descriptors[number] = String(repeating: "é", count: 4_000)
            reading.mounts += "\n\(number) 1 0:1 / /x\(number)"
            reading.mounts += "\(String(repeating: "y", count: 3_000)) rw - ext4 a rw"
        }
        let event = Event.posture(id: 1, rows(reading))
        #expect(event.encoded() != nil)
    }

    @Test func `resource limits are read by the columns that hold numbers`() {
        let found = OwnLimits.hard(limits: Self.limits)
        #expect(found["Max open files"] == 128)
        #expect(found["Max stack size"] == -1)
        #expect(found.count == 9)
    }
}
