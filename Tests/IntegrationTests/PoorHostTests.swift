import JSONRPC
import Kernel
import Testing

extension IntegrationTests {
    /// Hosts that lack something that a policy needs.
    @Suite struct PoorHostTests {
        /// A host whose containers get no CAP_SYS_TIME, as most give it to nobody.
        private static let withoutClocks = [
            "/usr/bin/setpriv", "--bounding-set=-sys_time", "--inh-caps=-sys_time", "--",
        ]

        private func typed(_ line: String) -> (String) throws -> Void {
            { etc in
                let text = "version: 1\nname: default\nlimits: {memory: 512MiB}\n" + line
                try Corral.write(text, to: etc + "/policies/default.yaml")
            }
        }

        @Test func `without CAP_SYS_TIME a start is refused with step and key named`() throws {
            let corral = try Corral(startedBy: Self.withoutClocks)
            let answer = try corral.connectFaulty("faulty")
            #expect(answer.status != 0)
            let told = try answer.json()["error"]?["message"]?.stringValue ?? answer.out
            #expect(
                told.contains("cannot start 'custom': time-namespace: Operation not permitted"),
                "\(told)")
            #expect(
                told.contains("CAP_SYS_TIME") && told.contains("time_namespace: off"), "\(told)")
            #expect(try Traces(of: corral).sandboxed().isEmpty)
        }

        @Test func `with the key it starts, and posture tells where the key is typed`() throws {
            let corral = try Corral(
                startedBy: Self.withoutClocks, typed("time_namespace: off\n"))
            let connected = try corral.connectFaulty("faulty")
            try #require(connected.status == 0, "\(connected.out) \(connected.err)")
            let posture = try corral.corral("--json", "posture", "faulty")
            #expect(posture.status == 0, "\(posture.out)")
            let rows = try posture.json()["rows"]?.arrayValue ?? []
            let time = rows.first { $0["group"] == "namespaces" && $0["name"] == "time" }
            let file = corral.directory + "/etc/policies/default.yaml"
            #expect(time?["wanted"]?.stringValue == "off (\(file):4:17)", "\(rows)")
            #expect(time?["found"]?.stringValue?.hasPrefix("the host's: time:") == true, "\(rows)")
            #expect(rows.contains { $0["name"] == "pid" && $0["wanted"] == "its own" })
        }
    }
}
