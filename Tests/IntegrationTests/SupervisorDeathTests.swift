import Glibc
import Kernel
import Testing

extension IntegrationTests {
    /// What ends a sandbox whose supervisor is killed: the sweeper is held meanwhile, which would
    /// end it too.
    @Suite struct SupervisorDeathTests {
        @Test func `a sandbox dies with its supervisor, and outlives it only without that wall`()
            throws
        {
            #expect(try !outlives(Corral()))
            #expect(try outlives(Corral { etc in try Self.leaveOut("die-with-supervisor", etc) }))
        }

        /// Puts a launcher in place that makes its sandboxes without a wall.
        private static func leaveOut(_ wall: String, _ etc: String) throws {
            let launcher = etc.dropLast(3) + "bin/corral-launch"
            #expect(unsafe rename(String(launcher), launcher + "-whole") == 0)
            let text = """
                #!/bin/sh
                [ "$1" = template ] && exec \(launcher)-whole template-without \(wall)
                exec \(launcher)-whole "$@"

                """
            try Corral.write(text, to: String(launcher))
            try Files.setMode(String(launcher), 0o755)
        }

        /// Kills corrald and looks whether the sandbox of a tool that ignores the end of its input
        /// goes on.
        private func outlives(_ corral: Corral) throws -> Bool {
            let server = "/usr/bin/python3 \(corral.directory)/files/faulty_server.py normal"
            let connected = try corral.corral(
                "--json", "connect", "custom", "--name", "stays", "--set",
                "files=\(corral.directory)/files", "--", "/bin/sh", "-c",
                "\(server); exec sleep 1000")
            try #require(connected.status == 0, "\(connected.err) \(connected.out)")
            let traces = Traces(of: corral)
            let sandboxed = try traces.sandboxed()
            try #require(sandboxed.count >= 3, "\(sandboxed)")
            let sweeper = try traces.sweeper()
            try #require(kill(sweeper, SIGSTOP) == 0)
            defer { kill(sweeper, SIGCONT) }
            try corral.killSupervisor()
            let isDecided = try eventually(milliseconds: Patience.answer) {
                let left = try traces.sandboxed()
                return left.isEmpty || left.contains { Self.name(of: $0) == "sleep\n" }
            }
            #expect(isDecided, "\(sandboxed.map(Self.name))")
            let outlived = try !traces.sandboxed().isEmpty
            kill(sweeper, SIGCONT)
            let isClean = try withinASecond {
                try traces.sandboxed().isEmpty
            }
            #expect(isClean, "the sweeper left something")
            return outlived
        }

        private static func name(of pid: Int32) -> String {
            // It may end between listing and reading, and then has no name.
            (try? Files.text("/proc/\(pid)/comm")) ?? ""
        }
    }
}
