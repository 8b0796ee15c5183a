import JSONRPC
import Kernel
import Testing

extension IntegrationTests {
    /// What people are told of the network that real servers and commands use.
    @Suite struct NetworkTests {
        /// A Corral whose default policy and custom card have a network.
        private func corral() throws -> Corral {
            try Corral { etc in
                let file = etc + "/policies/default.yaml"
                let policy = try Files.text(file)
                try #require(policy.contains("  allow: []"))
                try Corral.write(
                    policy.replacing("  allow: []", with: "  allow: [api.example.com:443]"),
                    to: file)
                let access = etc + "/policies/access.yaml"
                try Corral.write(
                    try Files.text(access).replacing(
                        "commands: true", with: "run: ['*'], commands: true"),
                    to: access)
                let card = etc + "/runcards/custom.yaml"
                try Corral.write(
                    try Files.text(card) + "network: {allow: [api.example.com:443]}\n", to: card)
            }
        }

        @Test func `a call that is refused a destination says which rule, and why explains it`()
            throws
        {
            let corral = try corral()
            let connected = try corral.connectFaulty("faulty")
            let log = try corral.log()
            try #require(connected.status == 0, "\(connected.out) \(connected.err) \(log)")
            let words = #"{"host": "169.254.169.254", "port": 80}"#
            let called = try corral.corral("--json", "call", "faulty__dial", words)
            #expect(called.status == 1, "\(called.out) \(called.err)")
            let content = try called.json()["content"]?.arrayValue
            let text = content?.last?["text"]?.stringValue ?? ""
            let start = "network_denied: 169.254.169.254:80 (metadata), policies/default.yaml:26, "
            let told = try corral.log()
            #expect(text.hasPrefix(start + "corral why "), "\(called.out) \(told)")
            let id = String(text.split(separator: " ").last ?? "")
            let why = try corral.corral("why", id)
            #expect(why.status == 0, "\(why.err)")
            for part in [
                "169.254.169.254:80 was refused", "connection 'faulty'", "dial", "Caution",
                "policies/default.yaml:26",
            ] {
                #expect(why.out.contains(part), "\(part) in \(why.out)")
            }
            let net = try corral.corral("net", "faulty")
            #expect(net.out.contains(id) && net.out.contains("denied: metadata"), "\(net.out)")
            #expect(try corral.corral("why", "ffffff").status == 4)
            #expect(try corral.corral("net", "nothing").status == 4)
        }

        @Test func `what a command was refused is its user's to see`() throws {
            let corral = try corral()
            let script = """
                import socket
                socket.create_connection(("10.0.0.1", 5432), timeout=20).recv(1)
                """
            let done = try corral.corral(
                ["run", "--policy", "default", "--allow", "api.example.com:443", "--"]
                    + ["python3", "-c", script])
            #expect(done.status == 1, "\(done.err)")
            let net = try corral.corral("net")
            let line = net.out.split(separator: "\n").first { $0.contains("10.0.0.1:5432") } ?? ""
            #expect(line.contains("python3  run"), "\(net.out) \(net.err)")
            let id = String(line.prefix { $0 != " " })
            let why = try corral.corral("why", id)
            #expect(why.out.contains("the command 'python3' of `corral run`"), "\(why.out)")
            #expect(why.out.contains("private: true"), "\(why.out)")
        }

        @Test func `a reload tells every mistake, and a good one holds at once`() throws {
            let corral = try corral()
            let connected = try corral.connectFaulty("faulty")
            try #require(connected.status == 0, "\(connected.out) \(connected.err)")
            let file = corral.directory + "/etc/policies/access.yaml"
            let before = try Files.text(file)
            try Corral.write(before + "rubbish: 1\n", to: file)
            let failed = try corral.corral("reload")
            #expect(failed.status == 7, "\(failed.out) \(failed.err)")
            #expect(failed.err.contains("access.yaml:4:"), "\(failed.err)")
            #expect(try corral.corral("call", "faulty__echo", "{}").status == 0)
            try Corral.write("version: 1\nallow: []\n", to: file)
            let done = try corral.corral("reload")
            #expect(done.status == 0, "\(done.err)")
            #expect(try corral.corral("call", "faulty__echo", "{}").status == 3)
        }
    }
}
