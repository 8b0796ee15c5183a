import JSONRPC
import Kernel
import Testing

extension IntegrationTests {
    /// Servers that misbehave: each ends in one clear error for the one who asked, and disturbs
    /// nothing else.
    @Suite struct ServerFaultTests {
        /// Deadlines short enough for a test, and an answer's limit that is met before any of them.
        private static let card = """
            limits: {call_timeout: 2s}

            """

        private func corral() throws -> Corral {
            try Corral { etc in
                let path = etc + "/runcards/custom.yaml"
                try Corral.write(try Files.text(path) + Self.card, to: path)
                let policy = etc + "/policies/default.yaml"
                let text = try Files.text(policy).split(
                    separator: "\n", omittingEmptySubsequences: false
                )
                .map { line in
                    if line.contains("start_timeout:") { return "  start_timeout: 3s" }
                    return line.contains(" response:") ? "  response: 1MiB" : String(line)
                }
                try Corral.write(text.joined(separator: "\n"), to: policy)
            }
        }

        private func reason(_ output: Output) throws -> String? {
            let found = try output.json()
            let error = found["error"] ?? found
            return error["data"]?["reason"]?.stringValue
        }

        private func isHealthy(_ corral: Corral, _ connection: String) throws -> Bool {
            let answer = try corral.corral(
                "--json", "call", "\(connection)__echo", #"{"text":"well"}"#)
            return answer.status == 0 && answer.out.contains("well")
        }

        @Test func `a server that ends at once is always told as what it is`() throws {
            // So fast that the look from outside may find it on its way out.
            let corral = try corral()
            for number in 0..<25 {
                let gone = try corral.corral(
                    "--json", "connect", "custom", "--name", "gone\(number)", "--", "/bin/true")
                #expect(gone.out.contains("the server ended before its first answer"), "\(gone)")
            }
        }

        @Test func `a launch step that fails is named with its cause`() throws {
            let corral = try corral()
            let absent = try corral.corral(
                "--json", "connect", "custom", "--name", "absent", "--", "/usr/bin/no-such-server")
            #expect(absent.status == 1)
            let text = "cannot start 'custom': execute: No such file or directory"
            #expect(absent.out.contains(text), "\(absent)")
        }

        @Test func `a server that dies or is silent at the start registers nothing`() throws {
            let corral = try corral()
            let dead = try corral.connectFaulty("dead", mode: "traceback")
            #expect(dead.status == 1)
            #expect(try reason(dead) == "start_failed" || reason(dead) == "tool_exited")
            #expect((dead.out + dead.err).contains("cannot find my configuration"), "\(dead)")
            let silent = try corral.connectFaulty("silent", mode: "silent")
            #expect(silent.status == 1 || silent.status == 6)
            #expect(try ["start_failed", "timeout"].contains(reason(silent)), "\(silent)")
            let listed = try corral.corral("--json", "list").json()
            #expect(listed["connections"]?.arrayValue?.isEmpty == true, "\(listed.text)")
        }

        @Test func `noise between answers is tolerated`() throws {
            let corral = try corral()
            let noisy = try corral.connectFaulty("noisy", mode: "noisy")
            #expect(noisy.status == 0, "\(noisy.out) \(noisy.err)")
            #expect(try isHealthy(corral, "noisy"))
        }

        @Test func `each fault in a call is named and leaves the others alone`() throws {
            let corral = try corral()
            for name in ["bad", "good"] {
                let connected = try corral.connectFaulty(name)
                try #require(connected.status == 0, "\(connected.out) \(connected.err)")
            }
            let faults = [
                ("die", "tool_exited"), ("hang", "timeout"), ("flood", "output_too_large"),
                ("invalid_result", "invalid_output"),
            ]
            for (tool, expected) in faults {
                let answer = try corral.corral("--json", "call", "bad__\(tool)", "{}")
                #expect(answer.status != 0)
                #expect(try reason(answer) == expected, "\(tool): \(answer.out) \(answer.err)")
                #expect(try isHealthy(corral, "good"), "after \(tool)")
                // A server that hangs is stopped once it has missed a ping as well.
                let isBack = try eventually(milliseconds: Patience.ready) {
                    try isHealthy(corral, "bad")
                }
                #expect(isBack, "after \(tool)")
            }
        }

        @Test func `a client that vanishes in a call disturbs nobody`() throws {
            let corral = try corral()
            for name in ["left", "good"] {
                let connected = try corral.connectFaulty(name)
                try #require(connected.status == 0, "\(connected.out) \(connected.err)")
            }
            do {
                var client = try RawClient(corral.socket)
                try client.initialize()
                try client.send(
                    #"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"left__hang"}}"#
                )
            }
            #expect(try isHealthy(corral, "good"))
            let isBack = try eventually(milliseconds: Patience.ready) {
                try isHealthy(corral, "left")
            }
            #expect(isBack, "the abandoned call still holds its server")
        }
    }
}
