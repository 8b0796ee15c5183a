import Configuration
import Policy
import RunCards
import SupervisorProtocol
import Testing

@testable import Supervisor

@Suite struct RunResolutionTests {
    private let alice = Caller(uid: 1000, user: "alice", groups: ["alice"])

    private func set(
        _ access: String = "allow: [{users: ['*'], run: [default]}]"
    ) throws -> PolicySet {
        func file(_ name: String, _ text: String) -> PolicySet.Contents.File {
            .init(name: name, bytes: Array(("version: 1\n" + text).utf8))
        }
        return try PolicySet(
            .init(
                access: file("access.yaml", access + "\n"),
                policies: [
                    file("default.yaml", "name: default\n"), file("other.yaml", "name: other\n"),
                ],
                profiles: [file("syscalls/default.yaml", "name: default\nentries: []\n")],
                cards: [], locks: []))
    }

    private func request(
        _ command: [String] = ["cat"], policy: String = "default", directory: String = "/srv/a/b",
        mounts: [(String, Bool)] = [], environment: [(String, String)] = []
    ) -> Request.Run {
        Request.Run(
            id: 1, user: 1000, policy: policy, directory: directory,
            mounts: mounts.map { .init(path: $0.0, writable: $0.1) }, command: command,
            environment: environment.map { .init(name: $0.0, value: $0.1) })
    }

    private func refusal(_ request: Request.Run, _ set: PolicySet, _ caller: Caller?) -> Refusal? {
        do throws(Refusal) {
            _ = try RunResolution(request, set: set, caller: caller)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a command gets its words, the standard variables and its own`() throws {
        let run = try RunResolution(
            request(["env", "-0"], environment: [("LANG", "C"), ("A", "b=c")]), set: try set(),
            caller: alice)
        #expect(run.command == ["env", "-0"])
        #expect(run.policy.name == "default")
        #expect(run.environment.contains("LANG=C") && run.environment.contains("A=b=c"))
        #expect(!run.environment.contains("LANG=C.UTF-8"))
        #expect(run.environment.contains("HOME=/home/tool"))
        #expect(run.mounts.isEmpty && run.directory == "/home/tool")
    }

    @Test func `parents are mounted before what lies in them`() throws {
        let mounts = [("/srv/a/b", true), ("/srv/a", false), ("/srv/0", false)]
        let run = try RunResolution(request(mounts: mounts), set: try set(), caller: alice)
        #expect(run.mounts.map(\.path) == ["/srv/0", "/srv/a", "/srv/a/b"])
        #expect(run.mounts.map(\.writable) == [false, false, true])
    }

    @Test(arguments: [
        ("/srv/a", "/srv/a"), ("/srv/a/b", "/srv/a/b"), ("/srv/ab", "/home/tool"),
        ("/srv", "/home/tool"), ("/usr/share", "/usr/share"), ("", "/home/tool"),
    ])
    func `it starts where its user stands when it sees the place`(stands: String, starts: String)
        throws
    {
        let run = try RunResolution(
            request(directory: stands, mounts: [("/srv/a", false)]), set: try set(), caller: alice)
        #expect(run.directory == starts)
    }

    @Test func `no rule, no run, and every mistake has its sentence`() throws {
        let closed = try set("allow: []")
        #expect(refusal(request(), closed, alice)?.code == .notAllowed)
        #expect(refusal(request(), closed, alice)?.message.contains("access.yaml:1:1") == true)
        // root without a daemon is concerned by no rule.
        #expect(refusal(request(), closed, nil) == nil)
        let open = try set()
        #expect(refusal(request(policy: "other"), open, alice)?.code == .notAllowed)
        let unknown = refusal(request(policy: "none"), open, nil)
        #expect(
            unknown?.message
                == "cannot run 'cat': no policy is named 'none' (there are: default, other)")
        #expect(refusal(request([]), open, alice)?.code == .badSetting)
        #expect(refusal(request([""]), open, alice)?.code == .badSetting)
    }

    @Test(arguments: [
        "/etc/shadow", "/", "/usr", "/home", "/tmp", "/proc/1", "/home/tool/x", "relative",
        "/srv/../etc", "/srv//a", "/srv/", "/run/corral", "/dev/shm",
    ])
    func `places of the sandbox's own and paths that are none are refused`(path: String) throws {
        for caller in [alice, nil] {
            let refused = refusal(request(mounts: [(path, true)]), try set(), caller)
            #expect(refused?.code == .badSetting)
            #expect(refused?.message.hasPrefix("cannot mount '\(path)': ") == true)
        }
    }

    @Test func `root's mounts need a rule, but only with a daemon`() throws {
        let root = Caller(uid: 0, user: "root", groups: ["root"])
        let mounts = [("/srv/a", false)]
        #expect(refusal(request(mounts: mounts), try set(), root)?.code == .notAllowed)
        #expect(refusal(request(mounts: mounts), try set(), nil) == nil)
        let named = try set("allow: [{users: [root], run: [default], directories: [/srv]}]")
        #expect(refusal(request(mounts: mounts), named, root) == nil)
    }

    @Test func `a mount is given once, and not too many are`() throws {
        let twice = refusal(
            request(mounts: [("/srv/a", false), ("/srv/a", true)]), try set(), alice)
        #expect(twice?.message == "cannot mount '/srv/a': it is given twice")
        let many = (0..<17).map { ("/srv/\($0)", false) }
        #expect(refusal(request(mounts: many), try set(), alice)?.code == .badSetting)
        #expect(refusal(request(mounts: Array(many.dropLast())), try set(), alice) == nil)
    }

    @Test(arguments: ["", "1A", "A B", "A=B", "É", "A-B"])
    func `a variable's name is one`(name: String) throws {
        let refused = refusal(request(environment: [(name, "x")]), try set(), alice)
        #expect(refused?.code == .badSetting)
    }
}
