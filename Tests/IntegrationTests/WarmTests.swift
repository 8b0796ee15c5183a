import Glibc
import Kernel
import Testing

extension IntegrationTests {
    /// Sandboxes that wait, because a policy says so.
    @Suite struct WarmTests {
        private static func configure(_ etc: String) throws {
            try Corral.write(
                "version: 1\nname: default\nwarm: 2\n", to: etc + "/policies/default.yaml")
            try Corral.write(
                """
                version: 1
                allow:
                  - {users: [root], cards: ["*"], commands: true, run: [default]}

                """, to: etc + "/policies/access.yaml")
        }

        /// Pids of those that wait.
        private func waiting(_ corral: Corral) throws -> Set<Int32> {
            var found: Set<Int32> = []
            _ = try eventually(milliseconds: Patience.answer) {
                found = try Set(Traces(of: corral).sandboxed())
                return found.count == 2
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
