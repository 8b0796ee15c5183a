import Glibc
import Kernel
import Testing
import YAML

@testable import Policy
@testable import Sandbox

/// Where tests that start real sandboxes run: root, with the launcher beside the test program.
enum Host {
    static let launcher: String? = {
        guard let own = try? System.executable(), let slash = own.lastIndex(of: "/") else {
            return nil
        }
        let path = own[..<slash] + "/corral-launch"
        return unsafe access(String(path), X_OK) == 0 ? String(path) : nil
    }()
    static var canLaunch: Bool { geteuid() == 0 && launcher != nil }
    /// CAP_SYS_RESOURCE, number 24, which some hosts give to nobody.
    static var mayLowerScores: Bool {
        guard canLaunch, let status = try? Files.text("/proc/self/status"),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
            let set = UInt64(line.dropFirst(8), radix: 16)
        else { return false }
        return set & 1 << 24 != 0
    }
    static let reason: Comment = "needs root and corral-launch beside the test program (make test)"
}

/// What a command inside a sandbox did.
struct Outcome {
    var reports: [Report] = []
    var output = ""
    var errors = ""
    /// How pid 1 ended.
    var ending: Child.Ending?

    var status: Int32? {
        for case .exited(let status, _) in reports { return status }
        return nil
    }
    var failure: SandboxError? {
        for case .failed(let error) in reports { return error }
        return nil
    }
}

/// One template and the means to run commands in it, gone without a trace afterwards.
final class Confined {
    let directory: String
    let template: Template
    /// The uid that these tests use, of a range of which none may own anything on the host; one for
    /// each run, or two runs at a time would count each other.
    static let uid = 1_990_000_000 + UInt32(getpid() % 100_000)

    init(
        read: [String] = ["/usr"], mountPoints: [String] = [],
        profile: SyscallProfile = Confined.permissive, without walls: [String] = [],
        launcher: String? = Host.launcher
    ) throws {
        let launcher = try #require(launcher)
        directory = "/tmp/corral-test-sandbox-\(getpid())-\(System.monotonicMicroseconds)"
        try Files.makeDirectory(directory, mode: 0o755)
        let tree = try RootTree.compose(
            .init(read: read, write: []), prefix: nil, mountPoints: mountPoints)
        do {
            template = try Template(
                launcher: launcher, root: directory, tree: tree,
                filter: SystemCallFilter(compiling: profile),
                mode: walls.isEmpty
                    ? ["template"] : ["template-without", walls.joined(separator: ",")])
        } catch {
            // No deinit follows an initialiser that throws.
            try Files.removeDirectory(directory)
            throw error
        }
    }

    deinit {
        do { try Files.removeDirectory(directory) } catch { Issue.record("left behind: \(error)") }
    }

    /// Forbids just enough to show that a filter is there.
    static let permissive = SyscallProfile(
        name: "test", standard: .allow,
        entries: [
            .init(
                calls: ["mount"], action: .errno(.EPERM), when: [], why: "the test",
                place: Place(file: "test.yaml"))
        ], file: "test.yaml")

    /// System call filters that a confined process has: this process's own and both parts of its.
    static func filters() throws -> Int {
        let line = try Files.text("/proc/self/status").split(separator: "\n")
            .first { $0.hasPrefix("Seccomp_filters:\t") }
        let own = line.flatMap { Int($0.dropFirst("Seccomp_filters:\t".utf8.count)) }
        return try #require(own) + SystemCallFilter.partCount
    }

    static func plan(_ arguments: [String]) -> LaunchPlan {
        LaunchPlan(
            uid: uid, scratchBytes: 8 << 20, cpuSeconds: 20, fileBytes: 1 << 20, openFiles: 64,
            hostname: "sandbox", directory: RootTree.home, arguments: arguments,
            environment: ["PATH=/usr/bin:/bin", "HOME=\(RootTree.home)"])
    }

    /// Runs a command to its end; `input` is all it can read.
    func run(
        _ plan: LaunchPlan, input text: String = "", groups: [CInt] = [],
        trees: consuming Trees = Trees()
    ) throws -> Outcome {
        let streams = try StreamPair()
        let status = try Pipe()
        let statusRead = try status.read.duplicate()
        let (pid, pidfd, network) = try template.launch(
            plan, groups: .join(groups), trees: trees,
            streams: Streams(
                input: streams.input.read.duplicate(), output: streams.output.write.duplicate(),
                errors: streams.errors.write.duplicate()),
            status: status.write.duplicate()
        ).release()
        let child = Child(pid: pid, pidfd: Descriptor(owning: pidfd))
        let kept = network.map { Descriptor(owning: $0) }
        _ = consume kept
        var outcome = Outcome()
        let input = try streams.input.write.duplicate()
        let output = try streams.output.read.duplicate()
        let errors = try streams.errors.read.duplicate()
        // Every end that the tool has, or it never sees the end of its input, nor we of its output.
        _ = consume streams
        _ = consume status
        try input.write(Array(text.utf8))
        _ = consume input
        outcome.output = String(decoding: try output.readAll(limit: 1 << 20), as: UTF8.self)
        outcome.errors = String(decoding: try errors.readAll(limit: 1 << 20), as: UTF8.self)
        let bytes = try statusRead.readAll(limit: 4096)
        for start in stride(from: 0, to: bytes.count, by: Report.size) {
            outcome.reports.append(try #require(Report(Array(bytes[start..<start + Report.size]))))
        }
        while outcome.ending == nil {
            outcome.ending = try child.reap()
            if outcome.ending == nil { _ = waitUntilReadable(child.pidfd.raw) }
        }
        return outcome
    }

    private func waitUntilReadable(_ raw: CInt) -> CInt {
        var wait = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&wait, 1, 10_000)
    }
}

/// The three pipes of a command.
struct StreamPair: ~Copyable {
    let input: Pipe
    let output: Pipe
    let errors: Pipe

    init() throws(KernelError) {
        let first = try Pipe()
        let second = try Pipe()
        let third = try Pipe()
        input = first
        output = second
        errors = third
    }
}
