internal import Kernel

/// Judges what the kernel and the installed programs offer. Pure.
enum HostFindings {
    /// The oldest kernel that has everything: cgroup.kill came last (major, minor).
    static let oldestKernel = (5, 14)
    /// Below this many bytes no package can be installed.
    static let diskLeast: UInt64 = 64 << 20
    /// Below this many bytes it is worth a warning: a card's packages take 50 to 200 MiB.
    static let diskLittle: UInt64 = 1 << 30
    /// Fewer namespaces than this are fewer than the sandboxes that may run at once.
    static let namespacesFew = 1024

    /// One finding for each feature of the host.
    static func all(_ host: HostFacts) -> [Finding] {
        [
            kernel(host.kernel), RightsFindings.capabilities(host), RightsFindings.limits(host),
            controllers(host.cgroups), groups(host.cgroups), diskLimits(host.cgroups),
            namespaces(host), gateway(host.gateway), timeNamespace(host.clocks),
            userNamespaces(host),
            seccomp(host.calls["seccomp"]),
            systemCalls(host.calls), landlock(host.landlock), idMapping(host.place),
            swap(host.swapBytes, host.cgroups), libraries(host.libraries), python(host.python),
            disk(host.place),
        ]
    }

    private static func kernel(_ release: String) -> Finding {
        let numbers = release.split { $0 == "." || $0 == "-" }.prefix(2).map { Int($0) ?? 0 }
        guard numbers.count == 2, (numbers[0], numbers[1]) >= oldestKernel else {
            let oldest = "\(oldestKernel.0).\(oldestKernel.1)"
            return Finding(
                .kernel, .missing, "\(release), and \(oldest) is needed",
                remedy: "apt install linux-image-amd64, of Debian 12 or newer; then reboot")
        }
        return Finding(.kernel, .ok, release)
    }

    private static func controllers(_ cgroups: HostFacts.Cgroups) -> Finding {
        guard let version = cgroups.version, cgroups.missing.isEmpty else {
            return Finding(
                .controllers, .missing, "no \(cgroups.missing.joined(separator: ", "))",
                remedy: cgroups.controllers.isEmpty
                    ? "mount -t cgroup2 none /sys/fs/cgroup"
                    : "add cgroup_enable=memory to the kernel's command line and reboot")
        }
        let names = cgroups.controllers.joined(separator: ", ")
        return Finding(.controllers, .ok, "\(version.rawValue): \(names)")
    }

    private static func groups(_ cgroups: HostFacts.Cgroups) -> Finding {
        switch cgroups.making {
        case .works: Finding(.groups, .ok, "can be made")
        case .untried: .untried(.groups)
        case .fails(let error):
            Finding(
                .groups, .missing, "\(error)",
                remedy:
                    "run corrald where /sys/fs/cgroup is and is writable: on the host, not in a "
                    + "container")
        }
    }

    private static func diskLimits(_ cgroups: HostFacts.Cgroups) -> Finding {
        let isOld = cgroups.version == .v1
        if cgroups.limitsDisks {
            return Finding(.diskLimits, .ok, isOld ? "blkio" : "io")
        }
        if cgroups.making == .untried { return .untried(.diskLimits) }
        return Finding(
            .diskLimits, .missing, "no \(isOld ? "blkio" : "io") controller that holds disks back",
            remedy: isOld
                ? "mkdir -p /sys/fs/cgroup/blkio && mount -t cgroup -o blkio none "
                    + "/sys/fs/cgroup/blkio, on a kernel with CONFIG_BLK_DEV_THROTTLING; or take "
                    + "limits.io out of the policies"
                : "start corrald by its unit, whose Delegate=yes hands io on, on a kernel with "
                    + "CONFIG_BLK_DEV_THROTTLING; or take limits.io out of the policies")
    }

    private static func namespaces(_ host: HostFacts) -> Finding {
        let names = HostProbe.namespaces
        let trials = host.namespaces
        let broken = names.filter { if case .fails = trials[$0] { true } else { false } }
        guard broken.isEmpty else {
            return Finding(
                .namespaces, .missing, "no \(broken.joined(separator: ", "))",
                remedy: "run corrald on the host, not in a container, and on a kernel of a "
                    + "distribution")
        }
        if names.contains(where: { trials[$0] != .works }) { return .untried(.namespaces) }
        // Root makes one of each for every sandbox, so root's own number counts.
        let few = (names + ["time"]).filter { host.namespacesMax[$0, default: 0] < namespacesFew }
        guard let first = few.first else {
            return Finding(.namespaces, .ok, names.joined(separator: ", "))
        }
        return Finding(
            .namespaces, .warning,
            "at most \(host.namespacesMax[first, default: 0]) of \(few.joined(separator: ", ")), "
                + "fewer than the sandboxes there may be",
            remedy: "sysctl -w "
                + few.map { "user.max_\($0)_namespaces=65536" }.joined(separator: " "))
    }

    private static func gateway(_ trial: HostFacts.Trial) -> Finding {
        switch trial {
        case .works: Finding(.gateway, .ok, "a namespace with one way out can be made")
        case .untried: .untried(.gateway)
        case .fails(let error):
            Finding(
                .gateway, .missing, error.description,
                remedy: error.errno == noPermission
                    ? "give corrald CAP_NET_ADMIN and CAP_NET_BIND_SERVICE "
                        + "(docker run --cap-add NET_ADMIN --cap-add NET_BIND_SERVICE)"
                    : "sudo modprobe -a nf_tables nft_chain_nat nft_redir nft_ct nft_limit, and "
                        + "keep IPv6 enabled")
        }
    }

    private static func timeNamespace(_ trial: HostFacts.Trial) -> Finding {
        switch trial {
        case .works: Finding(.timeNamespace, .ok, "clocks of its own can be set")
        case .untried: .untried(.timeNamespace)
        case .fails(let error):
            Finding(
                .timeNamespace, .missing, error.description,
                remedy: error.errno == noPermission
                    ? "give corrald CAP_SYS_TIME (docker run --cap-add SYS_TIME), or type "
                        + "'time_namespace: off' into the policies"
                    : "use a kernel with CONFIG_TIME_NS, or type 'time_namespace: off' into the "
                        + "policies")
        }
    }

    /// EPERM.
    private static let noPermission: Int32 = 1

    private static func userNamespaces(_ host: HostFacts) -> Finding {
        let most = host.namespacesMax["user", default: 0]
        switch host.userNamespace {
        // Each sandbox has a user of its own, who makes one.
        case .works: return Finding(.userNamespaces, .ok, "at most \(most) of each user")
        case .untried: return .untried(.userNamespaces)
        case .fails(let error):
            return Finding(
                .userNamespaces, .missing, "refused to ordinary users: \(error.reason)",
                remedy: sysctl(error, most))
        }
    }

    /// The switch that refuses: each has an error number of its own.
    private static func sysctl(_ error: KernelError, _ most: Int) -> String {
        if most == 0 || error.errno == noSpace {
            return "sysctl -w user.max_user_namespaces=65536"
        }
        return error.errno == accessRefused
            ? "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
            : "sysctl -w kernel.unprivileged_userns_clone=1"
    }

    /// EACCES: the namespace is made, but capabilities in it are refused.
    private static let accessRefused: Int32 = 13
    /// ENOSPC: user.max_user_namespaces is used up.
    private static let noSpace: Int32 = 28

    private static func seccomp(_ trial: HostFacts.Trial?) -> Finding {
        trial == .works
            ? Finding(.seccomp, .ok, "filters that refuse and kill")
            : Finding(
                .seccomp, .missing, "no filters",
                remedy: "use a kernel with CONFIG_SECCOMP_FILTER, as every distribution has")
    }

    private static func systemCalls(_ trials: [String: HostFacts.Trial]) -> Finding {
        let names = HostProbe.calls.filter { $0 != "seccomp" }
        let broken = names.filter { if case .fails = trials[$0] { true } else { false } }
        guard broken.isEmpty else {
            return Finding(
                .systemCalls, .missing, "no \(broken.joined(separator: ", "))",
                remedy: "run corrald on the host: a container's filter may refuse them")
        }
        if names.contains(where: { trials[$0] != .works }) { return .untried(.systemCalls) }
        return Finding(.systemCalls, .ok, names.joined(separator: ", "))
    }

    private static func landlock(_ version: Int) -> Finding {
        version > 0
            ? Finding(.landlock, .ok, "ABI \(version): " + walls(ofLandlock: version))
            : Finding(
                .landlock, .missing, "none",
                remedy: "put landlock first in lsm= on the kernel's command line and reboot, or "
                    + "type 'landlock: off' into the policies")
    }

    /// What a version stands around, and from which on the rest (landlock(7)).
    private static func walls(ofLandlock version: Int) -> String {
        version >= 6
            ? "files, TCP, abstract sockets, signals"
            : version >= 4
                ? "files, TCP; abstract sockets and signals from 6 on (Linux 6.12)"
                : "files; TCP from 4 on (Linux 6.7), sockets and signals from 6 (Linux 6.12)"
    }

    private static func idMapping(_ place: HostFacts.Place?) -> Finding {
        guard let place else { return noPlace(.idMapping) }
        switch place.mapping {
        case .works: return Finding(.idMapping, .ok, "\(place.fileSystem) at \(place.path)")
        case .untried: return .untried(.idMapping)
        case .fails(let error):
            return Finding(
                .idMapping, .missing, "\(place.fileSystem) at \(place.path): \(error.reason)",
                remedy: error.errno == noPermission
                    ? "give corrald CAP_SYS_ADMIN"
                    : "set state in corrald.yaml to a directory on ext4, xfs or btrfs")
        }
    }

    private static func swap(_ bytes: UInt64, _ cgroups: HostFacts.Cgroups) -> Finding {
        guard bytes > 0 else { return Finding(.swap, .ok, "none") }
        if cgroups.making == .untried { return .untried(.swap) }
        guard cgroups.countsSwap else {
            return Finding(
                .swap, .missing, "\(size(bytes)) that no limit counts: a tool could fill it",
                remedy: "swapoff -a, or add swapaccount=1 to the kernel's command line")
        }
        return Finding(.swap, .ok, "\(size(bytes)), closed to sandboxes")
    }

    private static func libraries(_ found: [String: Bool]) -> Finding {
        let missing = HostProbe.libraries.filter { found[$0] != true }
        return missing.isEmpty
            ? Finding(.libraries, .ok, HostProbe.libraries.joined(separator: ", "))
            : Finding(
                .libraries, .missing, "no \(missing.joined(separator: ", "))",
                remedy: "apt install libseccomp2 libsqlite3-0 libyaml-0-2")
    }

    private static func python(_ python: HostFacts.Python) -> Finding {
        switch python {
        case .complete(let version, let pip):
            Finding(.python, .ok, "\(version) with venv and pip \(pip)")
        case .missing:
            Finding(
                .python, .missing, "no /usr/bin/python3",
                remedy: "apt install python3 python3-venv")
        case .incomplete(let cause):
            Finding(.python, .missing, cause, remedy: "apt install python3-venv")
        }
    }

    private static func disk(_ place: HostFacts.Place?) -> Finding {
        guard let place else { return noPlace(.disk) }
        let state: Finding.State =
            place.freeBytes < diskLeast
            ? .missing : place.freeBytes < diskLittle ? .warning : .ok
        return Finding(
            .disk, state, "\(size(place.freeBytes)) free at \(place.path)",
            remedy: state == .ok ? nil : "make room, or set state in corrald.yaml to a larger disk")
    }

    private static func noPlace(_ feature: Feature) -> Finding {
        Finding(
            feature, .missing, "the state directory cannot be looked at",
            remedy: "set state in corrald.yaml to a directory that root can read")
    }

    /// Bytes in the largest unit that keeps a digit: `512 MiB`.
    static func size(_ bytes: UInt64) -> String {
        bytes >= 10 << 30 ? "\(bytes >> 30) GiB" : "\(bytes >> 20) MiB"
    }
}
