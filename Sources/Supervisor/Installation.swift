import Kernel
import Policy
import RunCards
import Sandbox
import SupervisorProtocol

/// An installation under way: one sandbox after another, each a named step, in a directory that
/// becomes a prefix only when all have succeeded.
final class Installation {
    /// One command of an installation.
    struct Step: Equatable {
        let name: String
        let arguments: [String]
        /// Whether it needs no registry.
        var isOffline = false
    }

    let card: RunCard
    let policy: Policy
    let prefix: Prefix
    /// The requests that wait for it.
    var waiting: [UInt64]
    /// The steps still to do; the first is under way.
    var steps: [Step]
    /// Where the steps write; the broker reads.
    let log: Descriptor

    init(
        card: RunCard, policy: Policy, prefix: Prefix, request: UInt64,
        log: consuming Descriptor, certificates: Bool
    ) {
        self.card = card
        self.policy = policy
        self.prefix = prefix
        waiting = [request]
        steps = Self.steps(policy, certificates: certificates)
        self.log = log
    }

    /// Where the lock is, inside.
    static let lockPath = "/opt/lock"
    /// The host's certificate authorities, which a company may have added its own to.
    static let certificates = "/etc/ssl/certs/ca-certificates.crt"
    /// Runs the pip that Python carries for ensurepip, so that none is installed into the prefix:
    /// less to wait for, and no installer where a tool could find it. Debian keeps the wheel apart.
    private static let pip = """
        import ensurepip, glob, os, runpy, sys
        bundled = os.path.join(os.path.dirname(ensurepip.__file__), "_bundled")
        wheels = [path for place in ("/usr/share/python-wheels", bundled)
                  for path in glob.glob(os.path.join(place, "pip-*.whl"))]
        sys.path.insert(0, wheels[0]) if wheels else sys.exit("no pip (install python3-venv)")
        runpy.run_module("pip", run_name="__main__", alter_sys=True)
        """
    /// Where unpacking happens: on the prefix's disk, not in memory.
    private static let scratch = RootTree.prefix + "/.tmp"

    /// The steps for packages from PyPI: nothing that is not in the lock, with its hash, and no
    /// source that would have to be built, which runs code that no hash of ours names.
    static func steps(_ policy: Policy, certificates: Bool) -> [Step] {
        let python = RootTree.prefix + "/bin/python3"
        let install = [
            python, "-I", "-c", pip, "install", "--require-hashes", "--no-deps",
            "--only-binary=:all:", "--no-input", "--no-cache-dir",
            "--disable-pip-version-check", "--progress-bar", "off",
            "--index-url", policy.registries.pypi, "--requirement", lockPath,
        ]
        return [
            Step(
                name: "create-venv",
                arguments: ["/usr/bin/python3", "-m", "venv", "--without-pip", RootTree.prefix],
                isOffline: true),
            Step(
                name: "install-packages",
                arguments: install + (certificates ? ["--cert", Self.certificates] : [])),
        ]
    }

    /// What its tree is called.
    var treeName: [String] { ["install", prefix.name] }

    /// What its steps see: the policy's trees, and the lock.
    private func describeTree() throws(SandboxError) -> TreePlan {
        var tree = try RootTree.compose(policy.filesystem, prefix: nil)
        tree.mounts.append(
            .init(
                source: prefix.partial + "/lock", target: Self.lockPath, writable: false,
                isFile: true))
        return tree
    }

    /// The order for the step that is next.
    func order(on cgroups: CgroupTree) throws(Refusal) -> Nursery.Order {
        let purpose = RunningSandbox.Purpose.installation(prefix: prefix.name)
        let limits = policy.limits
        let disks = try disks(purpose, cgroups)
        let environment = Resolution.standardEnvironment.filter { !$0.hasPrefix("TMPDIR=") }
        var network = NetworkGrant(installing: card, policy)
        if steps.first?.isOffline ?? true { network.kind = nil }
        let plan = LaunchPlan(
            uid: 0, tcp: network.tcp, scratchBytes: limits.scratch,
            cpuSeconds: Int(limits.cpuTime.components.seconds),
            fileBytes: Limit.installFileBytes, openFiles: limits.openFiles,
            hostname: "install", directory: RootTree.home,
            trees: [.init(path: RootTree.prefix, writable: true)],
            withoutLandlock: policy.landlock == .off,
            withoutTimeNamespace: policy.timeNamespace == .off,
            arguments: steps.first?.arguments ?? [],
            environment: environment + ["TMPDIR=" + Self.scratch])
        return Nursery.Order(
            purpose: purpose,
            tree: TreeSource(name: treeName, describe: describeTree), profile: policy.syscalls,
            limits: .init(
                memoryBytes: limits.installMemory, processes: limits.processes,
                cpuMillicores: limits.cpuMillicores, disks: disks),
            network: network, plan: plan,
            milliseconds: Int(limits.installTimeout.components.seconds) * 1000)
    }

    private func disks(
        _ purpose: RunningSandbox.Purpose, _ cgroups: CgroupTree
    ) throws(Refusal) -> Cgroup.DiskRates? {
        do throws(SandboxError) {
            return try DiskLimits(policy, seeing: [prefix.partial], on: cgroups).rates
        } catch {
            throw Refusal(purpose, name: card.name, error)
        }
    }

    /// Lays out the directory that the steps work on.
    func prepare(owner: UInt32) throws(KernelError) {
        try Files.makeDirectory(prefix.partial, mode: 0o700)
        try Files.create(prefix.partial + "/lock", mode: 0o644, text: prefix.lock)
        for path in [prefix.partial + "/root", prefix.partial + "/root/.tmp"] {
            try Files.makeDirectory(path, mode: 0o755)
            try Files.setOwner(path, uid: owner, gid: owner)
        }
    }

    /// The mount for one step: what it writes belongs on disk to `owner`, who never runs anything.
    func trees(owner: UInt32, sandbox uid: UInt32) throws(KernelError) -> Trees {
        let tree = try Tree(cloning: Tree.openDirectory(prefix.partial + "/root"))
        try tree.restrict(readOnly: false)
        try tree.mapOwner(disk: (owner, owner), to: (uid, uid))
        var trees = Trees()
        trees.append(tree)
        return trees
    }

    /// Makes it a prefix: from here on it is only ever mounted read-only.
    func seal() throws(KernelError) {
        try Files.removeTree(prefix.partial + "/root/.tmp")
        // The rename must not reach the disk before what it names.
        try Files.synchronize(prefix.partial)
        try Files.removeTree(prefix.directory)
        try Files.rename(prefix.partial, to: prefix.directory)
    }

    /// Takes everything back.
    func abandon() throws(KernelError) {
        try Files.removeTree(prefix.partial)
    }
}
