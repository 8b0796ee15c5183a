import Glibc
import Kernel
import Testing

@testable import Policy
@testable import Sandbox

/// Each wall, by an attack from Tests/Hostile that only it stops: a test of a wall that would pass
/// without the wall tests nothing.
@Suite(.serialized, .enabled(if: Host.canLaunch && Bait.shared != nil, Host.reason))
struct CounterProofTests {
    private enum Verdict: Equatable {
        case stopped
        case succeeded
        /// The attack itself is mistaken, or never ran.
        case broken(String)
    }

    /// A user of its own: other suites count the processes of theirs, and run meanwhile.
    private static let uid: UInt32 = 1_990_000_100
    @Test(arguments: CounterProof.here)
    func `an attack is stopped by its wall and succeeds without it`(proof: CounterProof) throws {
        let with = try verdict(on: proof, without: proof.away)
        #expect(with == .stopped)
        let without = try verdict(on: proof, without: proof.away + proof.wall)
        #expect(without == .succeeded)
    }

    @Test func `a file of the host is there only when its directory is listed`() throws {
        let bait = try #require(Bait.shared)
        let proof = CounterProof("read_host_file", "none")
        #expect(try verdict(on: proof) == .stopped)
        #expect(try verdict(on: proof, reading: [bait.directory + "/outside"]) == .succeeded)
    }

    @Test func `a set-uid program gains nothing on a mount of ours`() throws {
        let away = [
            "system-call-filter", "landlock", "no-new-privileges", "user-namespace",
            "map-ids", "lock-securebits", "drop-capabilities",
        ]
        let proof = CounterProof("set_uid_program", "none")
        #expect(try verdict(on: proof, without: away, restricted: true) == .stopped)
        #expect(try verdict(on: proof, without: away, restricted: false) == .succeeded)
    }

    @Test func `a set-uid program gains nothing in a user namespace that has no root`() throws {
        let away = ["system-call-filter", "landlock", "no-new-privileges"]
        let proof = CounterProof("set_uid_program", "none")
        #expect(try verdict(on: proof, without: away, restricted: false) == .stopped)
    }

    @Test func `the launcher refuses a wall that it does not know`() throws {
        #expect(throws: SandboxError.self) { try Confined(without: ["no-such-wall"]) }
    }

    /// Runs one attack in a sandbox with the shipped filter. `restricted` says whether set-uid bits
    /// are without effect where its files are.
    private func verdict(
        on proof: CounterProof, without walls: [String] = [], reading: [String] = [],
        restricted: Bool? = nil
    ) throws -> Verdict {
        let bait = try #require(Bait.shared)
        plantKey()
        let corpus = bait.directory + "/corpus"
        let confined = try Confined(
            read: ["/usr"] + reading, mountPoints: [corpus], profile: Self.shippedProfile(),
            without: walls)
        let tree = try Tree(cloning: Tree.openDirectory(corpus))
        if restricted ?? (proof.attack != "set_uid_program") { try tree.restrict(readOnly: true) }
        var trees = Trees()
        trees.append(tree)
        let more = proof.enough.map { ", \"enough\": \($0)" } ?? ""
        var plan = Confined.plan([
            "/usr/bin/python3", "-B", corpus + "/server.py", "--attack", proof.attack,
            bait.facts + ", \"shared\": \"/tmp\"" + more + "}",
        ])
        plan.uid = Self.uid
        plan.trees = [.init(path: corpus, writable: false)]
        let group = try proof.isLimited ? LimitedGroup() : nil
        let outcome = try confined.run(
            plan, groups: group?.group.membershipDescriptors() ?? [], trees: trees)
        try group?.remove()
        return Self.read(outcome)
    }

    /// A cgroup with limits so low that a bomb meets them at once.
    private struct LimitedGroup {
        private let tree: CgroupTree
        let group: Cgroup

        init() throws {
            let name = "corral-test-proof-\(getpid())-\(System.monotonicMicroseconds)"
            tree = try CgroupTree(host: .detect(), name: name)
            group = try tree.makeGroup(
                "sandbox-1", .init(memoryBytes: 48 << 20, processes: 8, cpuMillicores: 1000))
        }

        func remove() throws {
            try group.remove()
            for root in tree.roots { try Files.removeDirectory(root) }
        }
    }

    private static func read(_ outcome: Outcome) -> Verdict {
        if outcome.output.contains("\"outcome\": \"succeeded\"") { return .succeeded }
        if outcome.output.contains("\"outcome\": \"stopped\"") { return .stopped }
        // Killed by a limit: that is a wall too. Version 2 kills the whole group, pid 1 as well.
        if case .exited(_, SIGKILL)? = outcome.reports.last { return .stopped }
        if outcome.ending?.signal == SIGKILL { return .stopped }
        return .broken("\(outcome.reports) \(outcome.output) \(outcome.errors)")
    }

    private static func shippedProfile() throws -> SyscallProfile {
        let path = Bait.top + "/policies/syscalls/default.yaml"
        return try SyscallProfile.read(Files.read(path, limit: 256 << 10), file: path)
    }

    /// Puts a key into this thread's session keyring, which a launcher started from it has too.
    private func plantKey() {
        typealias Call = @convention(c) (CLong, CLong, CLong, CLong, CLong, CLong) -> CLong
        #if arch(x86_64)
            let (addKey, keyctl) = (248, 250)
        #else
            let (addKey, keyctl) = (217, 219)
        #endif
        // Glibc's syscall is variadic, which Swift does not import; on the architectures there are
        // it takes integers where a function of six integers has them.
        // The strings live until the call returns.
        guard let symbol = unsafe dlsym(nil, "syscall") else { return }
        let call = unsafe unsafeBitCast(symbol, to: Call.self)
        let (joinSession, sessionKeyring) = (1, -3)
        _ = call(keyctl, joinSession, 0, 0, 0, 0)
        unsafe "user".withCString { type in
            unsafe "corral-hostile".withCString { name in
                _ = call(
                    addKey, Int(bitPattern: type), Int(bitPattern: name), Int(bitPattern: name), 6,
                    sessionKeyring)
            }
        }
    }
}
