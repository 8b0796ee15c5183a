import Glibc
import JSONRPC
import Kernel
import Testing

extension IntegrationTests {
    /// kill -9 of every process: nothing is left behind, and what was registered comes back.
    @Suite struct KillTests {
        /// A Corral with one running server that has children of its own, and is seen to run.
        private func running() throws -> (Corral, Traces) {
            let corral = try Corral()
            let connected = try corral.connectFaulty("faulty")
            try #require(connected.status == 0, "\(connected.err) \(connected.out)")
            let forked = try corral.corral("--json", "call", "faulty__fork", "{}")
            try #require(forked.status == 0, "\(forked.err) \(forked.out)")
            var traces = Traces(of: corral)
            let counts = try traces.look()
            // The server and its three children, besides our own programs.
            try #require(try traces.sandboxed().count >= 4, "the counter does not count: \(counts)")
            try #require(counts.cgroups > 0 && counts.namespaces > 0, "nor these: \(counts)")
            return (corral, traces)
        }

        private func names(_ corral: Corral) throws -> [String] {
            let listed = try corral.corral("--json", "list")
            try #require(listed.status == 0, "\(listed.err)")
            let connections = try listed.json()["connections"]?.arrayValue ?? []
            return connections.compactMap { $0["name"]?.stringValue }
        }

        private func echoes(_ corral: Corral) throws -> Bool {
            let answer = try corral.corral("--json", "call", "faulty__echo", #"{"text":"again"}"#)
            return answer.status == 0 && answer.out.contains("again")
        }

        @Test func `after a stop nothing is left`() throws {
            var (corral, traces) = try running()
            try corral.stop()
            #expect(try traces.settled() == .none)
        }

        @Test func `after kill -9 of the supervisor nothing is left and connections return`() throws
        {
            var (corral, traces) = try running()
            try corral.killSupervisor()
            #expect(try traces.settled() == .none)
            try corral.start()
            #expect(try names(corral) == ["faulty"])
            #expect(try echoes(corral))
        }

        @Test func `after kill -9 of the broker no server is left and connections return`() throws {
            let (corral, traces) = try running()
            let server = try traces.sandboxed()
            #expect(kill(try traces.pid(of: "corral-broker"), SIGKILL) == 0)
            let gone = try withinASecond {
                try Set(traces.sandboxed()).isDisjoint(with: server)
            }
            #expect(gone, "servers of the killed broker still run")
            // Either corrald starts another broker, or it ends and systemd starts both.
            let isBack = try eventually(milliseconds: Patience.ready) {
                (try? Socket.connect(to: corral.socket)) != nil
            }
            if !isBack {
                try corral.killSupervisor()
                try corral.start()
            }
            #expect(try names(corral) == ["faulty"])
            #expect(try echoes(corral))
        }

        @Test func `after kill -9 of a server its children are gone and the next call works`()
            throws
        {
            let (corral, traces) = try running()
            let server = try traces.sandboxed()
            for pid in server { kill(pid, SIGKILL) }
            let gone = try withinASecond {
                try Set(traces.sandboxed()).isDisjoint(with: server)
            }
            #expect(gone)
            #expect(try echoes(corral))
        }
    }
}
