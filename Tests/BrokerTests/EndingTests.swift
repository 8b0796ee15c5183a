import JSONRPC
import SupervisorProtocol
import Synchronization
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct EndingTests {
    /// One way in which a server can end in a call, and how its error must begin.
    struct End: Sendable {
        let code: Int
        let text: String
        var status: Int32 = -1
        var signal: Int32 = 0
        var cause = Ending.Cause.none
        var cpuSeconds: UInt64 = 0
    }

    @Test(arguments: [
        End(code: 1012, text: "tool_exited (status 3)", status: 3),
        End(code: 1012, text: "tool_exited (SIGSEGV)", signal: 11),
        End(code: 1012, text: "tool_exited (SIGKILL)", signal: 9, cpuSeconds: 4),
        End(code: 1012, text: "tool_exited (signal 40)", signal: 40),
        End(code: 1016, text: "cpu_exceeded (5 s)", signal: 24),
        End(code: 1016, text: "cpu_exceeded (5 s)", signal: 9, cpuSeconds: 5),
        End(code: 1016, text: "cpu_exceeded (5 s)", signal: 9, cause: .cpuTime),
        End(code: 1025, text: "file_size_exceeded (2 MiB)", signal: 25),
        End(code: 1026, text: "life_exceeded (3600 s)", signal: 9, cause: .life),
    ])
    func `the end of a server is named with its last words`(end: End) throws {
        let scripts: [String: FakeServer.Script] = [
            "mortal": { server, _ in
                try server.serveLegacy { server, _ in
                    try server.complain("last words\n")
                    server.usage.withLock { $0.cpuMicroseconds = end.cpuSeconds * 1_000_000 }
                    var ending = server.ending(status: end.status, signal: end.signal)
                    ending.cause = end.cause
                    return ending
                }
            }
        ]
        let limits = ["cpu_time: 5s", "file_size: 2MiB", "life: 1h"]
        try Harness.run(scripts, limits: limits) { harness in
            let client = try harness.client(connecting: ["mortal"])
            let error = try client.call("mortal__echo")["error"]
            #expect(error?["code"]?.intValue == end.code)
            let message = error?["message"]?.stringValue ?? ""
            #expect(
                message.hasPrefix("cannot call 'echo' of 'mortal': \(end.text): "), "\(message)")
            #expect(error?["data"]?["log"] == ["last words"])
        }
    }

    @Test func `a call that came too late is named with its limit`() throws {
        let scripts: [String: FakeServer.Script] = [
            "stuck": { server, _ in
                try server.serveLegacy { server, _ in
                    while try server.message() != nil {}
                    return server.ending()
                }
            }
        ]
        try Harness.run(scripts, limits: [Harness.soon]) { harness in
            let client = try harness.client(connecting: ["stuck"])
            let message = try client.call("stuck__echo")["error"]?["message"]?.stringValue ?? ""
            #expect(message.contains(": timeout (1 s): "), "\(message)")
        }
    }
}
