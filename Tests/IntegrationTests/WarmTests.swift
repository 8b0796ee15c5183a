import Glibc
import Kernel
import Testing

extension IntegrationTests {
    /// Sandboxes that wait, because a policy says so.
    @Suite struct WarmTests {
        private static func configure(_ etc: String) throws { try configure(etc, warm: 2) }

        private static func configure(
            _ etc: String, warm: Int, limits: String = ""
        ) throws {
            try Corral.write(
                "version: 1\nname: default\nwarm: \(warm)\n" + limits,
                to: etc + "/policies/default.yaml")
            try Corral.write(
                "version: 1\nname: other\nwarm: 0\n", to: etc + "/policies/other.yaml")
            try Corral.write(
                """
                version: 1
                allow:
                  - {users: [root], cards: ["*"], commands: true, run: [default, other, third]}

                """, to: etc + "/policies/access.yaml")
        }

        /// Pids of those that wait.
        private func waiting(
            _ corral: Corral, _ count: Int = 2, atLeast: Bool = false
        ) throws -> Set<Int32> {
            var found: Set<Int32> = []
            _ = try eventually(milliseconds: Patience.answer) {
                found = try Set(Traces(of: corral).sandboxed())
                return atLeast ? found.count >= count : found.count == count
            }
            return found
        }

        @Test func `after the first start two wait, the next runs in one, and none is left`() throws
        {
            let corral = try Corral(Self.configure)
            var traces = Traces(of: corral)
            let first = try corral.corral("run", "--policy", "default", "--", "echo", "cold")
            #expect(first.status == 0 && first.out == "cold\n", "\(first)")
            let ready = try waiting(corral)
            #expect(ready.count == 2)
            _ = try traces.look()
            let second = try corral.corral(
                "run", "--policy", "default", "--", "sh", "-c", "echo warm; exit 9")
            #expect(second.status == 9 && second.out == "warm\n", "\(second)")
            let then = try waiting(corral)
            #expect(then.count == 2)
            #expect(then.intersection(ready).count == 1, "one of \(ready) was used, now \(then)")
            try corral.stop()
            #expect(try traces.settled() == .none)
        }

        @Test func `one that is killed while it waits is not missed`() throws {
            let corral = try Corral(Self.configure)
            _ = try corral.corral("run", "--policy", "default", "--", "true")
            for pid in try waiting(corral) { _ = Glibc.kill(pid, SIGKILL) }
            let output = try corral.corral("run", "--policy", "default", "--", "echo", "still")
            #expect(output.status == 0 && output.out == "still\n", "\(output)")
        }

        /// Walls without which one that waits still comes to wait, and what the look calls them.
        static let walls = [
            ("system-call-filter", "Seccomp_filters"), ("drop-capabilities", "CapEff"),
            ("no-new-privileges,landlock,system-call-filter", "NoNewPrivs"),
            ("cgroup-namespace", "the cgroup namespace"),
        ]

        @Test(arguments: walls)
        func `one that lacks a wall is ended and never used`(_ wall: (String, String)) throws {
            let corral = try Corral { etc in
                try Self.configure(etc, warm: 1)
                // Only what waits is born without the wall.
                let launcher = etc + "/../bin/corral-launch"
                try Files.rename(launcher, to: launcher + "-whole")
                try Corral.write(
                    """
                    #!/bin/sh
                    [ "$1" = template ] && set -- template-without waiting:\(wall.0)
                    exec "$0-whole" "$@"

                    """, to: launcher)
                try Files.setMode(launcher, 0o755)
            }
            for _ in 1...3 {
                let output = try corral.corral(
                    "run", "--policy", "default", "--", "grep", "-c", "^NoNewPrivs:.1$",
                    "/proc/self/status")
                #expect(output.status == 0 && output.out == "1\n", "\(output)")
                let none = try eventually(milliseconds: Patience.answer) {
                    try Traces(of: corral).sandboxed().isEmpty
                }
                #expect(none)
            }
            let ended = try eventually(milliseconds: Patience.answer) {
                try corral.log().split(separator: "\n").count { line in
                    line.contains("warm-sandbox-ended") && line.contains(wall.1)
                } == 3
            }
            let log = try corral.log()
            #expect(ended, "\(log)")
        }

        @Test func `one that nobody needs for the idle timeout goes`() throws {
            let corral = try Corral { etc in
                try Self.configure(etc, warm: 1, limits: "limits: {idle_timeout: 5s}\n")
            }
            let output = try corral.corral("run", "--policy", "default", "--", "echo", "once")
            #expect(output.status == 0, "\(output)")
            #expect(try waiting(corral, 1).count == 1)
            #expect(try waiting(corral, 0).isEmpty)
        }

        @Test func `a start takes the user of one that waits when there is no other`() throws {
            let corral = try Corral { etc in
                try Self.configure(etc, warm: 8)
                let path = etc + "/corrald.yaml"
                let text = try Files.text(path).replacing("count: 64", with: "count: 16")
                try Corral.write(text, to: path)
                try Corral.write(
                    "version: 1\nname: third\nwarm: 8\n", to: etc + "/policies/third.yaml")
            }
            // Sixteen would wait if there were users for so many.
            for policy in ["default", "third"] {
                let output = try corral.corral("run", "--policy", policy, "--", "true")
                #expect(output.status == 0, "\(output)")
                _ = try waiting(corral, 8, atLeast: true)
            }
            let ready = try waiting(corral, 11, atLeast: true)
            #expect(ready.count >= 11)
            // These have what is free, and what is kept for the next starts.
            var others: [Int32] = []
            for number in 1...4 {
                let other = try Command.start(
                    [
                        "\(corral.directory)/bin/corral", "--socket", corral.socket, "run",
                        "--policy", "other", "--", "sh", "-c", "echo up; sleep 600",
                    ], files: corral.directory + "/other\(number)")
                others.append(other.pid)
                let isUp = try eventually(milliseconds: Patience.answer) {
                    try Files.text(corral.directory + "/other\(number).out") == "up\n"
                }
                #expect(isUp)
            }
            let other = try corral.corral(
                "run", "--policy", "other", "--", "echo", "made room")
            #expect(other.status == 0 && other.out == "made room\n", "\(other)")
            for pid in others { Child.end(unreaped: pid) }
            let left = try Set(Traces(of: corral).sandboxed())
            #expect(!ready.isSubset(of: left), "none of \(ready) has given its user up")
        }

        @Test func `nothing waits after corrald was killed`() throws {
            let corral = try Corral(Self.configure)
            _ = try corral.corral("run", "--policy", "default", "--", "true")
            var traces = Traces(of: corral)
            #expect(try waiting(corral).count == 2)
            _ = try traces.look()
            try corral.killSupervisor()
            #expect(try traces.settled() == .none)
        }
    }
}
