import Glibc
import Kernel
import Testing

@testable import Policy
@testable import Sandbox

/// One run of an attack in a sandbox with the shipped filter, some walls away.
struct Trial {
    enum Verdict: Equatable {
        case stopped
        case succeeded
        /// The attack itself is mistaken, or never ran.
        case broken(String)
    }

    private let proof: CounterProof
    private let walls: [String]
    private let bait: Bait
    /// More of the host to be seen.
    var reading: [String] = []
    /// Whether set-uid bits are without effect where the corpus is, and nothing can be written.
    var isRestricted: Bool

    /// A user of its own: other suites count the processes of theirs, and run meanwhile.
    private static let uid = Confined.uid + 100_000

    init(_ proof: CounterProof, without walls: [String] = []) throws {
        self.proof = proof
        self.walls = walls
        bait = try #require(Bait.shared)
        isRestricted = proof.attack != "set_uid_program"
    }

    func verdict() throws -> Verdict {
        try Surroundings.prepare()
        let place = try proof.needs.contains(.place) ? Trap() : nil
        let corpus = bait.directory + "/corpus"
        let lowered = proof.needs.contains(.lowScore)
        if lowered { try Surroundings.setScore("-1000") }
        defer { if lowered { restoreScore() } }
        let confined = try Confined(
            read: ["/usr"] + reading + (place.map { [$0.path] } ?? []), mountPoints: [corpus],
            profile: Self.shippedProfile(), without: walls.filter { !$0.hasPrefix("cgroup.") })
        let twin = try proof.needs.contains(.twin) ? Twin(of: Self.uid) : nil
        if proof.needs.contains(.predecessor) { _ = try run(in: confined, place, twin) }
        return try Self.read(run(in: confined, place, twin))
    }

    private func restoreScore() {
        do { try Surroundings.setScore("0") } catch { Issue.record("score: \(error)") }
    }

    private func run(in confined: Confined, _ place: Trap?, _ twin: Twin?) throws -> Outcome {
        let corpus = bait.directory + "/corpus"
        let tree = try Tree(cloning: Tree.openDirectory(corpus))
        if isRestricted { try tree.restrict(readOnly: true) }
        var trees = Trees()
        trees.append(tree)
        var plan = Confined.plan(try arguments(place, twin))
        plan.uid = Self.uid
        plan.cpuSeconds = proof.attack == "burn_time" ? 1 : plan.cpuSeconds
        // Root without a capability has no way into the tool's home.
        if walls.contains("drop-user") { plan.directory = "/tmp" }
        plan.trees = [.init(path: corpus, writable: false)]
        let group = try proof.needs.contains(.cgroup) ? LimitedGroup(without: walls) : nil
        let outcome = try confined.run(
            plan, groups: group?.group.membershipDescriptors() ?? [], trees: trees)
        try group?.remove()
        return outcome
    }

    private func arguments(_ place: Trap?, _ twin: Twin?) throws -> [String] {
        if let script = proof.script {
            let host = try Files.linkTarget("/proc/self/ns/uts") ?? ""
            return [
                "/bin/sh", "-c", "HOST_UTS='\(host)'; " + (place?.script(script) ?? script),
            ]
        }
        let enough = proof.enough.map { ", \"enough\": \($0)" } ?? ""
        let other = twin.map { ", \"twin\": \($0.child.pid)" } ?? ""
        return [
            "/usr/bin/python3", "-B", bait.directory + "/corpus/server.py", "--attack",
            proof.attack, bait.facts + ", \"shared\": \"/tmp\"" + enough + other + "}",
        ]
    }

    private static func read(_ outcome: Outcome) -> Verdict {
        if outcome.output.contains("\"outcome\": \"succeeded\"") { return .succeeded }
        if outcome.output.contains("\"outcome\": \"stopped\"") { return .stopped }
        if outcome.output.hasSuffix("succeeded\n") { return .succeeded }
        if outcome.output.hasSuffix("stopped\n") { return .stopped }
        // Killed by a limit: that is a wall too. Version 2 kills the whole group, pid 1 as well.
        if case .exited(_, SIGKILL)? = outcome.reports.last { return .stopped }
        if case .exited(_, SIGXCPU)? = outcome.reports.last { return .stopped }
        if outcome.ending?.signal == SIGKILL { return .stopped }
        return .broken("\(outcome.reports) \(outcome.output) \(outcome.errors)")
    }

    private static func shippedProfile() throws -> SyscallProfile {
        let path = Bait.top + "/policies/syscalls/default.yaml"
        return try SyscallProfile.read(Files.read(path, limit: 256 << 10), file: path)
    }
}

/// A cgroup with limits so low that a bomb meets them at once.
struct LimitedGroup {
    private let tree: CgroupTree
    let group: Cgroup

    /// `walls` names limits to be so high that nothing here meets them.
    init(without walls: [String] = [], processors millicores: Int = 1000) throws {
        let name = "corral-test-proof-\(getpid())-\(System.monotonicMicroseconds)"
        tree = try CgroupTree(host: .detect(), name: name)
        let memory = walls.contains("cgroup.memory") ? 4 << 30 : 48 << 20
        let processes = walls.contains("cgroup.pids") ? 4096 : 8
        // As many bytes a second as "read_disk" expects.
        let disks =
            Self.mayLimitDisks && !walls.contains("cgroup.io")
            ? Cgroup.DiskRates(readBytes: 4 << 20, disks: try Self.disks()) : nil
        group = try tree.makeGroup(
            "sandbox-1",
            .init(
                memoryBytes: memory, processes: processes, cpuMillicores: millicores, disks: disks))
    }

    /// Whether this host can hold back the disk that /usr is on; says so where it cannot.
    static let mayLimitDisks: Bool = {
        do {
            if try CgroupHost.detect().limitsDisks(), try !disks().isEmpty { return true }
            print("cgroup.io unproven: no controller of disks, or /usr is on none")
        } catch {
            print("cgroup.io unproven: \(error)")
        }
        return false
    }()

    private static func disks() throws -> [String] { try Disks(below: ["/usr"]).numbers }

    /// How often the scheduler has held it back, by the kernel's own count.
    func periodsThrottled() throws -> Int {
        for root in tree.roots {
            let path = root + "/sandbox-1/cpu.stat"
            guard try Files.status(path) != nil else { continue }
            for line in try Files.text(path).split(separator: "\n") {
                let words = line.split(separator: " ")
                if words.first == "nr_throttled" { return try #require(Int(words[1])) }
            }
        }
        throw KernelError("open", "cpu.stat", errno: ENOENT)
    }

    func remove() throws {
        try group.remove()
        for root in tree.roots { try Files.removeDirectory(root) }
    }
}
