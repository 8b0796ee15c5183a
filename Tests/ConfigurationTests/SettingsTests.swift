import Configuration
import Testing
import YAML

@Suite struct SettingsTests {
    private func read(_ text: String) throws -> Settings {
        try Settings.read(Array(text.utf8), file: "corrald.yaml")
    }

    @Test func `a file with only a version has every default`() throws {
        let settings = try read("version: 1\n")
        #expect(settings.state == "/var/lib/corral")
        #expect(settings.runtime == "/run/corral")
        #expect(settings.policies == "/etc/corral/policies")
        #expect(settings.runcards == "/etc/corral/runcards")
        #expect(settings.brokerUser == "corral")
        #expect(settings.egressUser == "corral-egress")
        #expect(settings.controlGroup == "corral")
        #expect(settings.sandboxUIDs.first == 2_000_000_000)
        #expect(settings.sandboxUIDs.count == 65_536)
        #expect(settings.controlSocket == "/run/corral/control.sock")
    }

    @Test(arguments: [
        "state: var/lib", "runtime: /\(String(repeating: "x", count: 80))", "broker_user: a b",
        "control_group: ''", "sandbox_uids: {first: 1000}", "sandbox_uids: {count: 0}",
        "sandbox_uids: {first: 4294967295}", "broker-user: x", "policies: /etc/../x",
    ])
    func `a setting that could not work is refused`(line: String) {
        #expect(throws: Mistakes.self) { try read("version: 1\n" + line) }
    }

    @Test(arguments: [(16, 1), (64, 2), (512, 16), (65_536, 256)] as [(UInt32, Int)])
    func `commands without a daemon have users of their own`(count: UInt32, alone: Int) throws {
        let users = try read(
            "version: 1\nsandbox_uids: {first: 100000, count: \(count)}\n"
        ).sandboxUIDs
        #expect(users.alone.count == alone)
        // The last two are a broker's and a gateway's without users of their own, and the daemon's
        // end before the others.
        #expect(users.broker == 100_000 + count - 1 && users.egress == users.broker - 1)
        #expect(users.alone.upperBound == users.egress)
        #expect(100_000 + users.forServers == users.alone.lowerBound)
    }

    @Test func `the file is read only from owners`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/corrald.yaml"
            try write("version: 1\nbroker_user: nobody\n", to: path)
            #expect(try Settings.load(path, .owners).brokerUser == "nobody")
            try write("version: 1\n", to: path, mode: 0o666)
            let error = #expect(throws: Mistakes.self) { try Settings.load(path, .owners) }
            #expect(error?.description.contains("chmod go-w") ?? false)
        }
    }
}
