import Configuration
import Kernel
import Policy
import Testing
import YAML

/// What the shipped system call profile decides, judged by its rules alone.
@Suite struct ShippedProfileTests {
    private func profile() throws -> SyscallProfile {
        try SyscallProfile.read(
            Files.read(packageDirectory + "/policies/syscalls/default.yaml", limit: 256 << 10),
            file: "default.yaml")
    }

    private func holds(_ test: SyscallProfile.ArgumentTest, _ arguments: [UInt64]) -> Bool {
        let value = arguments[test.argument]
        return switch test.comparison {
        case .eq: value == test.value
        case .ne: value != test.value
        case .maskedEqual: value & test.mask == test.value
        case .maskedNotEqual: value & test.mask != test.value
        case .lt: value < test.value
        case .le: value <= test.value
        case .gt: value > test.value
        case .ge: value >= test.value
        }
    }

    /// Every action whose rule fits; more than one would be decided by chance.
    private func actions(
        _ rules: [SyscallProfile.Rule], _ call: String, _ arguments: [UInt64]
    ) -> Set<SyscallProfile.Action> {
        let filled = arguments + [UInt64](repeating: 0, count: 6 - arguments.count)
        return Set(
            rules.filter { $0.call == call && $0.comparisons.allSatisfy { holds($0, filled) } }
                .map(\.action))
    }

    @Test(
        arguments: [
            ("clone", [0x3D0F00], .allow), ("clone", [0x1200011], .allow),
            ("clone", [0x11], .allow),
            ("clone", [0x10000011], .errno(.EPERM)), ("clone", [0x7E020000], .errno(.EPERM)),
            ("clone", [0x20011], .errno(.EPERM)), ("clone", [0x1_4000_0000], .errno(.EPERM)),
            ("socket", [1, 0x80801, 0], .errno(.EPERM)), ("socket", [2, 0x80801, 0], .allow),
            ("socket", [10, 2, 17], .allow), ("socket", [2, 3, 1], .errno(.EPERM)),
            ("socket", [2, 0x80803, 255], .errno(.EPERM)),
            ("socket", [2, 1, 262], .errno(.EPROTONOSUPPORT)),
            ("socket", [2, 2, 1], .errno(.EPROTONOSUPPORT)), ("socket", [16, 3, 0], .allow),
            ("socket", [16, 3, 12], .errno(.EPERM)),
            ("socket", [17, 3, 768], .errno(.EAFNOSUPPORT)),
            ("socket", [38, 5, 0], .errno(.EAFNOSUPPORT)),
            ("socket", [40, 1, 0], .errno(.EAFNOSUPPORT)),
            ("socket", [1 << 32 | 2, 1, 0], .errno(.EAFNOSUPPORT)),
            ("socketpair", [1, 1, 0], .allow), ("socketpair", [30, 1, 0], .errno(.EAFNOSUPPORT)),
            ("ioctl", [0, 0x5401], .allow), ("ioctl", [0, 0x5413], .allow),
            ("ioctl", [0, 0x5421], .allow), ("ioctl", [0, 0x5412], .errno(.EPERM)),
            ("ioctl", [0, 0x541C], .errno(.EPERM)),
            ("ioctl", [0, 0xFFFF_FFFF_0000_5412], .errno(.EPERM)),
            ("personality", [0], .allow), ("personality", [0xFFFF_FFFF], .allow),
            ("ptrace", [0], .errno(.EPERM)), ("unshare", [0], .errno(.EPERM)),
            ("io_uring_setup", [0], .errno(.EPERM)), ("keyctl", [0], .errno(.EPERM)),
            ("chmod", [0, 0o755], .allow), ("chmod", [0, 0o1777], .allow),
            ("chmod", [0, 0o4755], .errno(.EPERM)), ("fchmod", [3, 0o2755], .errno(.EPERM)),
            ("fchmodat", [3, 0, 0o6755], .errno(.EPERM)),
            ("fchmodat2", [3, 0, 1 << 32 | 0o4000], .errno(.EPERM)),
            ("creat", [0, 0o4700], .errno(.EPERM)), ("mknodat", [3, 0, 0o10644], .allow),
            ("mknodat", [3, 0, 0o104755], .errno(.EPERM)),
            ("openat", [3, 0, 0o2, 0o7777], .allow), ("openat", [3, 0, 0o102, 0o644], .allow),
            ("openat", [3, 0, 0o101, 0o4755], .errno(.EPERM)),
            ("openat", [3, 0, 0o20200001, 0o2755], .errno(.EPERM)),
            ("open", [0, 0o101, 0o4755], .errno(.EPERM)), ("open", [0, 0, 0o4755], .allow),
            ("execve", [0], .allow), ("futex", [0], .allow),
        ] as [(String, [UInt64], SyscallProfile.Action)])
    func `a call with these arguments has exactly this verdict`(
        call: String, arguments: [UInt64], action: SyscallProfile.Action
    ) throws {
        #expect(try actions(profile().rules, call, arguments) == [action])
    }

    @Test(arguments: [
        ("clone3", [0]), ("openat2", [3]), ("personality", [0x40000]), ("socket", [2, 1, 2]),
    ])
    func `the rest gets ENOSYS`(call: String, arguments: [UInt64]) throws {
        let profile = try profile()
        #expect(profile.standard == .errno(.ENOSYS))
        #expect(actions(profile.rules, call, arguments) == [])
    }

    @Test func `the limit on core files can be read and not changed`() throws {
        let rules = try profile().rules
        // The kernel looks at the lower half of the number only.
        for core: UInt64 in [4, 1 << 32 | 4] {
            #expect(actions(rules, "setrlimit", [core]) == [])
            #expect(actions(rules, "prlimit64", [0, core, 1]) == [])
            #expect(actions(rules, "prlimit64", [0, core, 0]) == [.allow])
        }
        #expect(actions(rules, "setrlimit", [7]) == [.allow])
        #expect(actions(rules, "prlimit64", [0, 7, 1]) == [.allow])
    }

    @Test func `no two rules with different actions fit the same arguments`() throws {
        let rules = try profile().rules
        let conditional = Set(rules.filter { !$0.comparisons.isEmpty }.map(\.call))
        #expect(
            conditional == [
                "clone", "socket", "socketpair", "ioctl", "personality", "chmod", "fchmod",
                "fchmodat", "fchmodat2", "creat", "mknod", "mknodat", "open", "openat",
                "setrlimit", "prlimit64",
            ])
        for call in conditional {
            let own = rules.filter { $0.call == call }
            let tuples: [[UInt64]] = (0..<4).reduce([[]]) { tuples, argument in
                let values = probes(own.flatMap(\.comparisons).filter { $0.argument == argument })
                return tuples.flatMap { tuple in values.map { tuple + [$0] } }
            }
            for tuple in tuples {
                #expect(actions(own, call, tuple).count <= 1, "\(call) \(tuple)")
            }
        }
    }

    /// Values on and beside everything that an argument is compared with.
    private func probes(_ tests: [SyscallProfile.ArgumentTest]) -> [UInt64] {
        var values: Set<UInt64> = [0]
        for test in tests {
            values.formUnion([test.value, test.value &+ 1, test.value &- 1])
            if test.comparison == .maskedEqual { values.insert(test.value | ~test.mask) }
        }
        return values.sorted()
    }
}
