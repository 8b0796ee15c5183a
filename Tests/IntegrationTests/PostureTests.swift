import Glibc
import JSONRPC
import Kernel
import Testing

extension IntegrationTests {
    /// What the kernel says of a real server, through the whole chain.
    @Suite struct PostureTests {
        private func rows(_ output: Output) throws -> [JSON] {
            try output.json()["rows"]?.arrayValue ?? []
        }

        /// The directory of the cgroup in which a process's number of processes is limited.
        private static func pidsGroup(of pid: Int32) throws -> String {
            let lines = try Files.text("/proc/\(pid)/cgroup").split(separator: "\n").map(
                String.init)
            for line in lines {
                let parts = line.split(separator: ":", omittingEmptySubsequences: false)
                let hierarchy =
                    parts[1] == "pids" ? "/pids" : parts[1].isEmpty ? "" : "/\(parts[1])"
                let path = "/sys/fs/cgroup" + hierarchy + parts[2]
                guard parts[1] == "pids" || parts[1].isEmpty else { continue }
                if try Files.status(path + "/cgroup.procs") != nil { return path }
            }
            throw HarnessError("no pids cgroup among \(lines)")
        }

        @Test func `all holds for a running server, and a wall taken away is told`() throws {
            let corral = try Corral()
            let connected = try corral.connectFaulty("faulty")
            try #require(connected.status == 0, "\(connected.out) \(connected.err)")
            let well = try corral.corral("--json", "posture", "faulty")
            #expect(well.status == 0, "\(well.out) \(well.err)")
            let found = try rows(well)
            #expect(found.count > 40)
            let groups = Set(found.compactMap { $0["group"]?.stringValue })
            #expect(
                groups.isSuperset(of: [
                    "namespaces", "identity", "privilege", "system calls", "landlock", "cgroup",
                    "resources", "mounts", "descriptors", "processes", "network",
                ]))

            let pid = try #require(Traces(of: corral).sandboxed().first)
            let file = try Self.pidsGroup(of: pid) + "/pids.max"
            try Files.write("77", to: file)
            let ill = try corral.corral("--json", "posture", "faulty")
            #expect(ill.status == 1)
            let wrong = try rows(ill).filter { $0["ok"] == false }
            #expect(wrong.map { $0["name"] } == ["pids.max"], "\(ill.out)")
            #expect(wrong.first?["found"] == "77")
            #expect(try corral.log().contains("posture-differs"))
        }

        /// The network namespace of a running connection, as posture tells it.
        private func network(_ name: String, _ corral: Corral) throws -> String {
            let output = try corral.corral("--json", "posture", name)
            let row = try rows(output).first { $0["group"] == "namespaces" && $0["name"] == "net" }
            return try #require(row?["found"]?.stringValue)
        }

        @Test func `two sandboxes never share a network, not even of one user`() throws {
            let corral = try Corral()
            var seen: Set<String> = []
            for name in ["one", "two", "three"] {
                let connected = try corral.connectFaulty(name)
                try #require(connected.status == 0, "\(connected.out) \(connected.err)")
            }
            for name in ["one", "two", "three"] { seen.insert(try network(name, corral)) }
            #expect(seen.count == 3)
            // One that is gone may leave its network to the same user's next, never to two.
            let restarted = try corral.corral("restart", "two")
            #expect(restarted.status == 0, "\(restarted.out) \(restarted.err)")
            let now = try Set(["one", "two", "three"].map { try network($0, corral) })
            #expect(now.count == 3)
        }

        /// One way to weaken a running sandbox from outside: `tool` is the pid of its server.
        struct Change: Sendable, CustomTestStringConvertible {
            let group: String
            let name: String
            let apply: @Sendable (_ tool: Int32, _ words: ([String]) throws -> Void) throws -> Void
            var testDescription: String { "\(group) \(name)" }
        }

        private static func mount(in tool: Int32) -> [String] {
            ["/usr/bin/nsenter", "-t", "\(tool)", "-m", "--", "/usr/bin/mount"]
        }

        static let changes = [
            Change(group: "mounts", name: "/") { tool, run in
                try run(mount(in: tool) + ["-o", "remount,bind,rw", "/"])
            },
            Change(group: "mounts", name: "/tmp") { tool, run in
                try run(mount(in: tool) + ["-o", "remount,size=512m", "/tmp"])
            },
            Change(group: "mounts", name: "/opt") { tool, run in
                try run(mount(in: tool) + ["-t", "tmpfs", "strange", "/opt"])
            },
            Change(group: "processes", name: "the tool") { tool, _ in
                try Files.write("\(tool)", to: pidsGroup(of: getpid()) + "/cgroup.procs")
            },
            Change(group: "resources", name: "oom score") { tool, _ in
                try Files.write("0", to: "/proc/\(tool)/oom_score_adj")
            },
        ]

        @Test(arguments: changes)
        func `what is changed from outside on a running server is told`(change: Change) throws {
            let corral = try Corral()
            let connected = try corral.connectFaulty("faulty")
            try #require(connected.status == 0, "\(connected.out) \(connected.err)")
            let tool = try #require(Traces(of: corral).sandboxed().max())
            try change.apply(tool) { words in
                let done = try Command.run(words, files: corral.directory + "/change")
                try #require(done.status == 0, "\(words): \(done.err)")
            }
            let ill = try corral.corral("--json", "posture", "faulty")
            #expect(ill.status == 1)
            let wrong = try rows(ill).filter { $0["ok"] == false }
            #expect(
                wrong.contains {
                    $0["group"]?.stringValue == change.group
                        && $0["name"]?.stringValue == change.name
                }, "\(ill.out)")
            let log = try corral.log()
            #expect(log.contains("posture-differs") && log.contains(change.name))
        }

        @Test func `a process in the sandbox's cgroup that is not confined is told`() throws {
            let corral = try Corral()
            let connected = try corral.connectFaulty("faulty")
            try #require(connected.status == 0, "\(connected.out) \(connected.err)")
            let group = try Self.pidsGroup(of: #require(Traces(of: corral).sandboxed().first))
            let stranger = try Child.spawn(
                "/bin/sleep", arguments: ["1000"], environment: [], descriptors: [])
            try Files.write(String(stranger.pid), to: group + "/cgroup.procs")
            let ill = try corral.corral("--json", "posture", "faulty")
            try stranger.end()
            #expect(ill.status == 1)
            let row = try rows(ill).first { $0["name"]?.stringValue == "pid \(stranger.pid)" }
            let found = row?["found"]?.stringValue ?? ""
            #expect(found.contains("Seccomp") && found.contains("the net namespace"), "\(ill.out)")
        }

        @Test func `a server that does not run is not started to be looked at`() throws {
            let corral = try Corral()
            let connected = try corral.connectFaulty("faulty")
            try #require(connected.status == 0, "\(connected.out) \(connected.err)")
            for pid in try Traces(of: corral).sandboxed() { kill(pid, SIGKILL) }
            let isGone = try eventually(milliseconds: Patience.answer) {
                try corral.corral("--json", "list").out.contains(#""state":"idle""#)
            }
            #expect(isGone)
            let answer = try corral.corral("--json", "posture", "faulty")
            #expect(answer.status == 1)
            #expect(try answer.json()["error"]?["data"]?["reason"] == "not_running")
            #expect(try Traces(of: corral).sandboxed().isEmpty)
        }
    }
}
