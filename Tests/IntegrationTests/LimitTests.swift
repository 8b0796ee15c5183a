import JSONRPC
import Kernel
import Testing

extension IntegrationTests {
    /// Limits that end a real server, each by its name.
    @Suite struct LimitTests {
        private func message(_ output: Output) throws -> String {
            let found = try output.json()
            return (found["error"] ?? found)["message"]?.stringValue ?? output.out
        }

        private func connected(_ limits: String) throws -> Corral {
            let corral = try Corral { etc in
                let path = etc + "/runcards/custom.yaml"
                try Corral.write(try Files.text(path) + "limits: {\(limits)}\n", to: path)
            }
            let connected = try corral.connectFaulty("faulty")
            try #require(connected.status == 0, "\(connected.out) \(connected.err)")
            return corral
        }

        @Test func `a server that has lived long enough is ended in its call, and starts again`()
            throws
        {
            let corral = try connected("life: 6s")
            let posture = try corral.corral("--json", "posture", "faulty").json()
            let life = posture["rows"]?.arrayValue?.first { $0["name"] == "life" }
            #expect(life?["wanted"] == "6 s at most")
            #expect(life?["ok"] == true)
            let ended = try corral.corral("--json", "call", "faulty__hang", "{}")
            #expect(try message(ended).contains(": life_exceeded (6 s): "), "\(ended)")
            let next = try corral.corral("--json", "call", "faulty__echo", #"{"text":"well"}"#)
            #expect(next.status == 0 && next.out.contains("well"), "\(next)")
        }

        @Test func `a server that crashes is told by its signal`() throws {
            let corral = try connected("address_space: 2GiB")
            let crashed = try corral.corral("--json", "call", "faulty__crash", "{}")
            #expect(try message(crashed).contains(": tool_exited (SIGSEGV): "), "\(crashed)")
            _ = try corral.corral("--json", "call", "faulty__echo", "{}")
            let posture = try corral.corral("--json", "posture", "faulty")
            #expect(posture.status == 0, "\(posture.out)")
            let rows = try posture.json()["rows"]?.arrayValue ?? []
            let space = rows.first { $0["name"] == "address space" }
            #expect(space?["found"] == "2147483648", "\(posture.out)")
            #expect(rows.contains { $0["name"] == "cpu, all processes" && $0["ok"] == true })
        }
    }
}
