internal import Kernel

/// Judges what corrald would be allowed, as far as it is started like the doctor. Pure.
enum RightsFindings {
    /// Capabilities that corrald uses, by number (capabilities(7)); its unit gives it these. The
    /// one for clocks is a finding of its own.
    static let needed: [(number: Int, name: String)] = [
        (0, "CAP_CHOWN"), (1, "CAP_DAC_OVERRIDE"), (5, "CAP_KILL"), (6, "CAP_SETGID"),
        (7, "CAP_SETUID"), (8, "CAP_SETPCAP"), (19, "CAP_SYS_PTRACE"), (21, "CAP_SYS_ADMIN"),
        (27, "CAP_MKNOD"),
    ]
    /// CAP_SYS_RESOURCE.
    static let resources = 24
    /// Descriptors that corrald wants for itself and the broker.
    static let descriptors = 16_384

    /// Whether root has here what corrald uses.
    static func capabilities(_ host: HostFacts) -> Finding {
        guard host.isRoot, let found = host.capabilities else { return .untried(.capabilities) }
        let missing = needed.filter { !found.contains($0.number) }.map(\.name)
        guard missing.isEmpty else {
            return Finding(
                .capabilities, .missing, "no \(missing.joined(separator: ", "))",
                remedy: "run corrald on the host, or give its container "
                    + missing.map { "--cap-add \($0.dropFirst(4))" }.joined(separator: " "))
        }
        guard found.contains(resources) else {
            return Finding(
                .capabilities, .warning,
                "no CAP_SYS_RESOURCE: a tool can lower the score that the kernel kills by",
                remedy: "give corrald CAP_SYS_RESOURCE (docker run --cap-add SYS_RESOURCE)")
        }
        return Finding(.capabilities, .ok, "all that corrald uses")
    }

    /// Hard limits that corrald inherits from whoever starts it.
    static func limits(_ host: HostFacts) -> Finding {
        let files = host.limits["Max open files"] ?? 0
        let core = host.limits["Max core file size"] ?? 0
        if host.capabilities?.contains(resources) == true {
            return Finding(.limits, .ok, "can be raised")
        }
        if core == 0 {
            return Finding(
                .limits, .missing, "0 for core files, and a sandbox needs 1 (core(5))",
                remedy: "start corrald with LimitCORE=infinity, or with CAP_SYS_RESOURCE")
        }
        guard files < 0 || files >= descriptors else {
            return Finding(
                .limits, .warning, "\(files) open files, and \(descriptors) are wanted",
                remedy: "start corrald with LimitNOFILE=65536, as its unit does")
        }
        return Finding(
            .limits, .ok, "open files: \(files < 0 ? "unlimited" : String(files))")
    }
}
