import JSONRPC
import Testing

extension IntegrationTests {
    /// Clients written with the official SDK, in both its majors, on both ways in.
    @Suite struct SDKClientTests {
        struct Way: CustomTestStringConvertible, Sendable {
            var version: String
            var era: String
            var transport: String
            var testDescription: String { "SDK \(version), \(era), \(transport)" }
        }

        static let ways = [
            Way(version: "1.30.0", era: "legacy", transport: "stdio"),
            Way(version: "1.30.0", era: "legacy", transport: "unix"),
            Way(version: "2.3.0", era: "legacy", transport: "stdio"),
            Way(version: "2.3.0", era: "legacy", transport: "unix"),
            Way(version: "2.3.0", era: "auto", transport: "stdio"),
            Way(version: "2.3.0", era: "auto", transport: "unix"),
        ]

        @Test func `every client of the SDK uses all there is through both ways in`() throws {
            let corral = try Corral()
            let connected = try corral.connectFaulty("faulty")
            #expect(connected.status == 0, "\(connected.err) \(connected.out)")
            for way in Self.ways { try exercise(way, corral) }
        }

        private func exercise(_ way: Way, _ corral: Corral) throws {
            guard let python = Host.sdkPython(way.version) else { return }
            let script = "\(Host.top)/Tests/IntegrationTests/Clients/sdk_client.py"
            let entrance =
                way.transport == "unix"
                ? ["unix", corral.socket]
                : ["stdio", "\(corral.directory)/bin/corral", corral.socket]
            let done = try Command.run(
                [python, "-B", script, way.era] + entrance
                    + ["faulty__echo", #"{"text":"grüße\u0000 \"and\" more"}"#],
                files: corral.directory + "/client")
            try #require(done.status == 0, "\(way.testDescription): \(done.err)")
            let told = try done.json()
            let tools = (told["tools"]?.arrayValue ?? []).compactMap(\.stringValue)
            #expect(tools.contains("faulty__echo"), "\(way.testDescription): \(tools)")
            #expect(told["text"]?.stringValue == "grüße\u{0} \"and\" more")
            #expect(told["isError"]?.boolValue == false)
            #expect(told["unknown"]?["code"]?.intValue != nil, "an unknown tool is an error")
            #expect(told["prompt"] == "Greet you")
            #expect(told["resource"] == "corral://faulty/memo://notes/1?a=b#c")
            #expect(told["template"] == "corral://faulty/memo://notes/{id}")
            #expect(told["contents"] == "of memo://notes/1?a=b#c")
            #expect(told["completion"] == ["greet"])
            let isModern = way.era == "auto"
            #expect(
                (told["version"]?.stringValue ?? "" >= "2026-07-28") == isModern,
                "\(way.testDescription) spoke \(told["version"]?.stringValue ?? "nothing")")
        }
    }
}
