import NetworkRules
import Policy
import Testing
import YAML

@Suite struct NetworkTests {
    private func read(_ network: String) throws -> Policy {
        let text = "version: 1\nname: p\n" + network
        return try Policy.read(Array(text.utf8), file: "/etc/corral/policies/p.yaml")
    }

    private func mistakes(_ network: String) -> [String] {
        let error = #expect(throws: Mistakes.self) { try read(network) }
        return error?.all.map { "\($0.place.line):\($0.place.column): \($0.message)" } ?? []
    }

    @Test func `entries are text, or a mapping that allows private addresses`() throws {
        let network = try read(
            """
            network:
              deny: [metadata]
              allow:
                - api.github.com:443
                - "*.example.com:443,8000-8100"
                - {to: "db.internal:5432", private: true}
                - {to: "[fd12::1]:5432", private: true}
                - {to: "10.0.0.0/8:80"}
                - host_addresses:8080
              loopback: own
              connections: 7
              connections_per_second: 8
              bytes_per_call: 1MiB
              bytes_per_day: 1GiB
              idle_timeout: 9s
              life: 1h
            """
        ).network
        #expect(
            network.allow.map(\.text) == [
                "api.github.com:443", "*.example.com:443,8000-8100", "db.internal:5432",
                "[fd12::1]:5432", "10.0.0.0/8:80", "host_addresses:8080",
            ])
        #expect(network.allow.map(\.allowsPrivate) == [false, false, true, true, false, false])
        #expect(network.deny == [.metadata] && network.loopback == .own && network.isNetworked)
        #expect(network.connections == 7 && network.connectionsPerSecond == 8)
        #expect(network.bytesPerCall == 1 << 20 && network.bytesPerDay == 1 << 30)
        #expect(network.idleTimeout == .seconds(9) && network.life == .seconds(3600))
    }

    @Test(arguments: [
        ("*.internal:5432", "*.internal"), ("10.0.0.0/8:80", "10.0.0.0/8"),
        ("10.1.2.0/31:80", "10.1.2.0/31"), ("[fc00::/7]:80", "[fc00::/7]"),
        ("0.0.0.0/0:80", "0.0.0.0/0"), ("host_addresses:80", "host_addresses"),
    ])
    func `private needs one name or one address`(entry: String, host: String) {
        #expect(
            mistakes("network: {allow: [{private: true, to: '\(entry)'}]}") == [
                "3:29: 'private' needs one name or one address, and '\(host)' is more "
                    + "(add an entry for each that is needed)"
            ])
    }

    @Test(arguments: [
        "network: {allow: api.example:443}", "network: {allow: [api.example]}",
        "network: {allow: ['Example.com:443']}", "network: {allow: [{private: true}]}",
        "network: {allow: [{to: 'a.example:1', private: yes}]}",
        "network: {allow: [{to: 'a.example:1', privat: true}]}",
        "network: {allow: [['a.example:1']]}", "network: {deny: [everything]}",
        "network: {deny: private}", "network: {loopback: host}", "network: {loopback: true}",
        "network: {connections: 0}", "network: {connections_per_second: many}",
        "network: {bytes_per_day: -1}", "network: {idle_timeout: 0s}", "network: {life: 0s}",
        "network: {alow: []}", "network: []", "network:", "network: {allow:}",
        "install: {network: {loopback: own}}", "install: {network: {allow: [pypi.org]}}",
    ])
    func `what could be read in two ways is a mistake`(text: String) {
        #expect(!mistakes(text).isEmpty)
    }

    @Test func `rules name the file and the line of each entry and limit`() throws {
        let rules = try read(
            """
            network:
              deny: [localhost,
                metadata]
              allow:
                - api.github.com:443
                - {private: true,
                   to: "db.internal:5432"}
              connections: 7
            """
        ).egressRules
        #expect(rules.allow.map(\.place) == ["policies/p.yaml:7", "policies/p.yaml:9"])
        #expect(rules.allow.map(\.text) == ["api.github.com:443", "db.internal:5432"])
        #expect(rules.deny.map(\.place) == ["policies/p.yaml:4", "policies/p.yaml:5"])
        #expect(rules.limits.connections == 7 && rules.limits.idleMilliseconds == 300_000)
        #expect(rules.limitPlaces["network.connections"] == "policies/p.yaml:10")
        #expect(rules.limitPlaces["network.allow"] == "policies/p.yaml:7")
        // What is left to its default stands where it would be written.
        #expect(rules.limitPlaces["network.idle_timeout"] == "policies/p.yaml:4")
    }

    @Test func `an installation has rules of its own`() throws {
        let rules = try read("network: {allow: ['a.example:1']}").installRules
        #expect(rules.allow.map(\.text) == ["pypi.org:443", "files.pythonhosted.org:443"])
        #expect(rules.deny.map(\.set) == AddressSet.allCases)
        let own = try read("install: {network: {allow: [mirror.example:443], deny: [metadata]}}")
        #expect(own.installRules.allow.map(\.place) == ["policies/p.yaml:3"])
        #expect(own.installRules.deny.map(\.set) == [.metadata])
        #expect(own.egressRules.allow == [])
    }

    @Test func `a user chooses among what the policy grants, root beyond it`() throws {
        let policy = try read(
            """
            network:
              allow:
                - "*.example.com:443"
                - {to: "db.internal:1-9", private: true}
            """)
        #expect(try policy.allowing([], isRoot: false) == policy)
        let words = ["api.example.com:443", "db.internal:5"]
        let rules = try policy.allowing(words, isRoot: false).egressRules
        #expect(rules.allow.map(\.text) == words)
        #expect(rules.allow.map(\.allowsPrivate) == [false, true])
        #expect(rules.allow.map(\.place) == ["policies/p.yaml:5", "policies/p.yaml:6"])
        for word in ["example.com:443", "api.example.com:80", "10.1.2.3:80", "x", "A.example:1"] {
            #expect(throws: Wrong.self) { try policy.allowing([word], isRoot: false) }
        }
        let added = try policy.allowing(["10.1.2.3:80", words[0]], isRoot: true).egressRules
        #expect(added.allow.map(\.text) == ["10.1.2.3:80", words[0]])
        #expect(added.allow.map(\.place) == ["--allow", "policies/p.yaml:5"])
        #expect(added.allow.map(\.allowsPrivate) == [false, false])
        #expect(throws: Wrong.self) { try policy.allowing(["x"], isRoot: true) }
    }
}
