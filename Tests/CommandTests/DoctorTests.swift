import Configuration
import JSONRPC
import Kernel
import Policy
import Testing

@testable import corral

/// One way to spoil a host, and the feature that it spoils.
struct Damage: Sendable {
    let feature: Feature
    let apply: @Sendable (inout HostFacts) -> Void

    init(_ feature: Feature, _ apply: @escaping @Sendable (inout HostFacts) -> Void) {
        self.feature = feature
        self.apply = apply
    }
}

@Suite struct DoctorTests {
    /// A host that has everything.
    private var good: HostFacts {
        HostFacts(
            isRoot: true, kernel: "6.1.0-18-amd64",
            cgroups: .init(
                version: .v2, controllers: ["cpu", "io", "memory", "pids"], missing: [],
                making: .works, countsSwap: true, limitsDisks: true),
            namespaces: [
                "mnt": .works, "pid": .works, "net": .works, "ipc": .works, "uts": .works,
                "cgroup": .works,
            ],
            gateway: .works, clocks: .works, userNamespace: .works,
            namespacesMax: [
                "mnt": 96_365, "pid": 96_365, "net": 96_365, "ipc": 96_365, "uts": 96_365,
                "cgroup": 96_365, "time": 96_365, "user": 96_365,
            ],
            capabilities: Set(0...40), limits: ["Max open files": 1024, "Max core file size": -1],
            calls: [
                "openat2": .works, "pidfd_open": .works, "close_range": .works,
                "open_tree": .works, "move_mount": .works, "mount_setattr": .works,
                "seccomp": .works,
            ], landlock: 2, swapBytes: 0,
            libraries: [
                "libseccomp.so.2": true, "libsqlite3.so.0": true, "libyaml-0.so.2": true,
            ],
            python: .complete(version: "3.11.2", pip: "23.0.1"),
            place: .init(
                path: "/var/lib/corral", fileSystem: "ext4", freeBytes: 20 << 30, mapping: .works))
    }

    private func shipped() throws -> PolicySet {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return try PolicySet.load(
            policies: root + "/policies", runcards: root + "/runcards", .anybody)
    }

    private let others = [
        Finding(.sandboxUsers, .ok, ""), Finding(.configuration, .ok, ""),
        Finding(.socket, .warning, "", remedy: "start it"),
    ]

    private func diagnosis(_ host: HostFacts, absent: Set<String> = []) throws -> Diagnosis {
        Diagnosis(HostFindings.all(host) + others, set: try shipped(), absent: absent)
    }

    @Test func `a host that has everything is well, and says so of every policy and card`() throws {
        let diagnosis = try diagnosis(good)
        #expect(HostFindings.all(good).allSatisfy { $0.state == .ok && $0.remedy == nil })
        #expect(diagnosis.isWell)
        #expect(
            diagnosis.needs.map(\.name) == ["default", "custom", "git", "time"])
        #expect(diagnosis.needs.allSatisfy { $0.state == .ok })
    }

    @Test(
        arguments: [
            Damage(.kernel, { $0.kernel = "5.10.0-28-amd64" }),
            Damage(.kernel, { $0.kernel = "odd" }),
            Damage(.controllers, { $0.cgroups.missing = ["memory"] }),
            Damage(.groups, { $0.cgroups.making = .fails(KernelError("mkdir", "x", errno: 30)) }),
            Damage(
                .namespaces, { $0.namespaces["net"] = .fails(KernelError("unshare", errno: 1)) }),
            Damage(
                .userNamespaces, { $0.userNamespace = .fails(KernelError("unshare", errno: 1)) }),
            Damage(.seccomp, { $0.calls["seccomp"] = .fails(KernelError("seccomp", errno: 22)) }),
            Damage(
                .systemCalls, { $0.calls["openat2"] = .fails(KernelError("openat2", errno: 38)) }),
            Damage(.landlock, { $0.landlock = 0 }),
            Damage(
                .swap,
                {
                    $0.swapBytes = 1 << 30
                    $0.cgroups.countsSwap = false
                }
            ),
            Damage(.timeNamespace, { $0.clocks = .fails(KernelError("set", "clocks", errno: 1)) }),
            Damage(.capabilities, { $0.capabilities?.remove(21) }),
            Damage(
                .limits,
                {
                    $0.capabilities?.remove(24)
                    $0.limits["Max core file size"] = 0
                }),
            Damage(.libraries, { $0.libraries["libseccomp.so.2"] = false }),
        ])
    func `a wall that is missing makes every policy and card impossible, with a remedy`(
        damage: Damage
    ) throws {
        var host = good
        damage.apply(&host)
        let feature = damage.feature
        let diagnosis = try diagnosis(host)
        let finding = try #require(diagnosis.findings.first { $0.feature == feature })
        #expect(finding.state == .missing)
        #expect(finding.remedy != nil)
        #expect(!diagnosis.isWell)
        #expect(diagnosis.needs.allSatisfy { $0.lacks == feature.rawValue })
    }

    @Test func `a wall that a policy does without is not missed by it`() throws {
        func features(_ key: String) throws -> [Feature] {
            let text = "version: 1\nname: p\n\(key)\n"
            return Diagnosis.features(try Policy.read(Array(text.utf8), file: "p.yaml"))
        }
        #expect(try features("") == Diagnosis.walls + [.landlock, .timeNamespace])
        let networked = try features("network: {allow: [\"example.com:443\"]}")
        #expect(networked == Diagnosis.walls + [.landlock, .timeNamespace, .gateway])
        #expect(try features("landlock: off") == Diagnosis.walls + [.timeNamespace])
        #expect(try features("time_namespace: off") == Diagnosis.walls + [.landlock])
    }

    @Test(
        arguments: [
            Damage(
                .gateway,
                { $0.gateway = .fails(KernelError("netlink", "table 'corral'", errno: 22)) }),
            Damage(.python, { $0.python = .missing }),
            Damage(.python, { $0.python = .incomplete("no ensurepip") }),
            Damage(
                .idMapping, { $0.place?.mapping = .fails(KernelError("mount_setattr", errno: 22)) }),
            Damage(.disk, { $0.place?.freeBytes = 1 << 20 }),
        ])
    func `what only installing needs is missed by the cards that install`(
        damage: Damage
    ) throws {
        var host = good
        damage.apply(&host)
        let feature = damage.feature
        let diagnosis = try diagnosis(host)
        #expect(!diagnosis.isWell)
        let lacking = diagnosis.needs.filter { $0.state == .missing }
        #expect(lacking.map(\.name) == ["git", "time"])
        #expect(lacking.allSatisfy { $0.lacks == feature.rawValue })
    }

    @Test(
        arguments: [
            Damage(.namespaces, { $0.namespacesMax["pid"] = 100 }),
            Damage(.capabilities, { $0.capabilities?.remove(24) }),
            Damage(.capabilities, { $0.isRoot = false }),
            Damage(.limits, { $0.capabilities?.remove(24) }),
            Damage(.disk, { $0.place?.freeBytes = 512 << 20 }),
            Damage(.groups, { $0.cgroups.making = .untried }),
            Damage(.idMapping, { $0.place?.mapping = .untried }),
        ])
    func `what a sandbox can do without is a warning and no more`(
        damage: Damage
    ) throws {
        var host = good
        damage.apply(&host)
        let feature = damage.feature
        let diagnosis = try diagnosis(host)
        let finding = try #require(diagnosis.findings.first { $0.feature == feature })
        #expect(finding.state == .warning && finding.remedy != nil)
        #expect(diagnosis.isWell)
    }

    @Test(arguments: [
        (KernelError("unshare", errno: 28), "user.max_user_namespaces"),
        (KernelError("unshare", errno: 1), "kernel.unprivileged_userns_clone"),
        (KernelError("unshare", errno: 13), "kernel.apparmor_restrict_unprivileged_userns"),
    ])
    func `each switch that refuses user namespaces is named`(
        error: KernelError, name: String
    ) throws {
        var host = good
        host.userNamespace = .fails(error)
        let finding = HostFindings.all(host).first { $0.feature == .userNamespaces }
        #expect(finding?.remedy?.contains(name) == true)
    }

    @Test func `a policy tells what it needs, and what somebody typed it to do without`() throws {
        let needs = try diagnosis(good).json["needs"]?.arrayValue ?? []
        let time = needs.first { $0["name"] == "time" }
        let names = time?["needs"]?.arrayValue?.compactMap(\.stringValue) ?? []
        #expect(names.contains("python") && names.contains("landlock"))
        #expect(time?["off"] == [])
        let text = "version: 1\nname: p\nlandlock: off\n"
        let policy = try Policy.read(Array(text.utf8), file: "p.yaml")
        #expect(Diagnosis.off(policy) == ["landlock: off (p.yaml:3:11)"])
    }

    @Test func `a policy that limits disks needs what can, and tells what it does not reach`()
        throws
    {
        let text = "version: 1\nname: p\nlimits: {io: {write: 1MiB}}\nfilesystem: {read: [/usr]}\n"
        let policy = try Policy.read(Array(text.utf8), file: "p.yaml")
        #expect(Diagnosis.features(policy).contains(.diskLimits))
        #expect(try shipped().policies.values.allSatisfy { $0.limits.io == nil })
        var host = good
        host.cgroups.limitsDisks = false
        let finding = HostFindings.all(host).first { $0.feature == .diskLimits }
        #expect(finding?.state == .missing && finding?.remedy?.contains("Delegate=yes") == true)
        // Nothing shipped asks for it.
        #expect(try diagnosis(host).isWell)

        let disks = try Disks(below: ["/proc"])
        let none = DiskNeeds([["/usr"]: disks], countsWriteback: true).verdict(policy)
        #expect(
            none?.lacks
                == "limits.io (p.yaml:3:14): nothing is on a disk: /proc: proc has no disk")
        let old = DiskNeeds([:], countsWriteback: false).verdict(policy)
        #expect(old?.lacks == nil)
        #expect(old?.notes.count == 1 && old?.notes[0].contains("version 1 (p.yaml:3:14)") == true)
        #expect(DiskNeeds().verdict(policy) == .init(notes: []))
    }

    @Test func `numbers that are lent to somebody are no sandbox's`() throws {
        let settings = try Settings.read(Array("version: 1\n".utf8), file: "c.yaml")
        let first = settings.sandboxUIDs.first
        func state(_ text: String) throws -> Finding.State? {
            AccountFindings.all(try Accounts(), settings, lent: AccountFindings.lent(text))
                .first { $0.feature == .sandboxUsers }?.state
        }
        #expect(try state("ann:100000:65536\nben:\(first - 10):10\n") == .ok)
        #expect(try state("ann:\(first - 10):11\n") == .missing)
        #expect(try state("ann:1:4294967295\n") == .missing)
    }

    @Test func `files with mistakes are never well`() {
        let wrong = Finding(.configuration, .missing, "f:1:1: no", remedy: "corral policy check")
        let diagnosis = Diagnosis(
            HostFindings.all(good) + [others[0], wrong], set: nil, absent: [])
        #expect(!diagnosis.isWell)
        #expect(diagnosis.json["ok"] == false)
    }

    @Test func `a path of a policy that is not here is told`() throws {
        let diagnosis = try diagnosis(good, absent: ["/etc/alternatives"])
        let need = try #require(diagnosis.needs.first)
        #expect(need.state == .warning)
        #expect(need.lacks == "not on this host: /etc/alternatives")
        #expect(diagnosis.isWell)
    }

    @Test func `the text has a row for each finding and each command once`() throws {
        var host = good
        host.cgroups.making = .untried
        host.place?.mapping = .untried
        let lines = DoctorText.lines(try diagnosis(host), .plain)
        #expect(lines.contains("  cgroup groups, id-mapped mounts: sudo corral doctor"))
        #expect(lines.contains { $0.hasPrefix("card git") && $0.contains("ok") })
        #expect(lines.last == "nothing is missing that a sandbox needs")
    }
}
