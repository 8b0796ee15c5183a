import Glibc
import JSONRPC
import Kernel
import Testing

extension IntegrationTests {
    /// The root half of the network, with a gateway that lets nothing out and tells every
    /// connection who dialled what, and by which rules.
    @Suite struct GatewayTests {
        private static let policy = """
            version: 1
            name: net
            network: {allow: ["203.0.113.0/24:443"]}

            """

        /// A Corral with that gateway in place of corral-egress, and a policy with a network.
        private func corral() throws -> Corral {
            try Corral { etc in
                try Corral.write(Self.policy, to: etc + "/policies/net.yaml")
                let access = """
                    version: 1
                    allow:
                      - {users: [root], cards: ["*"], commands: true, run: ["*"]}

                    """
                try Corral.write(access, to: etc + "/policies/access.yaml")
                let program = String(etc.dropLast("/etc".count)) + "/bin/corral-egress"
                try Files.remove(program)
                try Corral.write(
                    try Files.text("\(Host.top)/Tests/IntegrationTests/Servers/gateway.py"),
                    to: program)
                try Files.setMode(program, 0o755)
            }
        }

        /// What a connection from a sandbox of a policy gets.
        private static let dial = """
            import socket
            for host, port in (("203.0.113.7", 443), ("2001:db8::7", 25)):
                with socket.create_connection((host, port), timeout=20) as one:
                    print(one.makefile().read(), end="")
            """

        private func dial(_ corral: Corral, policy: String = "net") throws -> Output {
            try corral.corral(["run", "--policy", policy, "--", "python3", "-c", Self.dial])
        }

        private func pid(_ corral: Corral) throws -> Int32? {
            let words = "\(corral.directory)/bin/corral-egress"
            for name in try Files.names(in: "/proc") {
                guard let pid = Int32(name),
                    let line = try? Files.text("/proc/\(pid)/cmdline"), line.contains(words),
                    line.hasPrefix("/usr/bin/python3")
                else { continue }
                return pid
            }
            return nil
        }

        @Test func `what a sandbox dials reaches the gateway, and nothing without rules does`()
            throws
        {
            let corral = try corral()
            let net = try dial(corral)
            let log = try corral.log()
            #expect(
                net.out == """
                    run root 203.0.113.7 443 203.0.113.0/24:443
                    run root 2001:db8::7 25 203.0.113.0/24:443

                    """, "\(net.err) \(log)")
            let none = try dial(corral, policy: "default")
            #expect(none.status != 0 && none.err.contains("Permission denied"), "\(none.err)")
        }

        @Test func `a gateway that dies is followed by one that serves the same sandboxes`() throws
        {
            let corral = try corral()
            try #require(try eventually(milliseconds: Patience.ready) { try pid(corral) != nil })
            let first = try #require(try pid(corral))
            let script = """
                import os, socket, sys, time
                def ask():
                    with socket.create_connection(("203.0.113.7", 443), timeout=20) as one:
                        return one.makefile().read()
                print(ask(), end="", flush=True)
                sys.stdin.readline()
                print(ask(), end="", flush=True)
                """
            let outcome = try Command.run(
                [
                    "/bin/sh", "-c",
                    """
                    { sleep 1; kill -9 \(first); sleep 0.2; echo go; } |
                    "$@"
                    """, "sh", "\(corral.directory)/bin/corral", "--socket", corral.socket, "run",
                    "--policy", "net", "--", "python3", "-c", script,
                ], files: corral.directory + "/dies")
            let line = "run root 203.0.113.7 443 203.0.113.0/24:443\n"
            let log = try corral.log()
            #expect(outcome.out == line + line, "\(outcome.err) \(log)")
            #expect(try pid(corral) != first)
        }

        @Test(arguments: [true, false])
        func `rules that are read anew reach sandboxes that run, and whoever asked is told`(
            bySignal: Bool
        ) throws {
            let corral = try corral()
            let script = """
                import socket, sys
                def ask():
                    with socket.create_connection(("203.0.113.7", 443), timeout=20) as one:
                        return one.makefile().read().split()[-1]
                before = ask()
                print(before, flush=True)
                while ask() == before: pass
                print(ask(), flush=True)
                # Nothing else happens until whoever asked has been told.
                sys.stdin.readline()
                """
            let policy = corral.directory + "/etc/policies/net.yaml"
            let program = "\(corral.directory)/bin/corral --socket \(corral.socket)"
            let reload = bySignal ? "kill -HUP \(try corral.pid())" : "\(program) reload"
            let told = corral.directory + "/reload.told"
            let outcome = try Command.run(
                [
                    "/bin/sh", "-c",
                    """
                    { sleep 1; sed -i 's,113.0/24,100.0/24,' \(policy)
                      \(reload) > \(told) 2>&1; echo $? >> \(told); echo done; } |
                    \(program) run --policy net -- python3 -c "$1"
                    """, "sh", script,
                ], files: corral.directory + "/reload")
            #expect(try Files.text(told).hasSuffix("0\n"))
            let log = try corral.log()
            #expect(
                outcome.out == "203.0.113.0/24:443\n203.0.100.0/24:443\n",
                "\(outcome.err) \(log)")
        }
    }
}
