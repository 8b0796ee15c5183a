import NetworkRules
import Testing

@Suite struct VerdictTests {
    @Test func `rules without entries allow nothing`() throws {
        let rules = try EgressRules([], deny: [])
        #expect(try rules.reason("8.8.8.8", 443) == "notAllowed p.yaml:9")
        #expect(try !rules.allows("8.8.8.8", 443, ["a.example"]))
        #expect(rules.verdict(name: try name("a.example")) != .allowed(rule: 0))
        #expect(!rules.mayAnswer(try address("8.8.8.8"), for: try name("a.example"), isHost: false))
    }

    @Test(arguments: AddressSetTests.special)
    func `deny wins over every entry`(text: String, sets: Set<AddressSet>) throws {
        let allow = ["0.0.0.0/0:1-65535", "[::/0]:1-65535", "*.example:1-65535"]
        let rules = try EgressRules(allow)
        #expect(try !rules.allows(text, 80, ["a.example"]))
        #expect(try !rules.allows(text, 80, ["a.example"], isHost: true))
        #expect(!rules.mayAnswer(try address(text), for: try name("a.example"), isHost: false))
        #expect(try EgressRules(allow, deny: []).allows(text, 80))
    }

    @Test func `a denial names the set that says most, and its place`() throws {
        let rules = try EgressRules(["0.0.0.0/0:80", "[::/0]:80"])
        #expect(try rules.reason("169.254.169.254", 80) == "metadata p.yaml:4")
        #expect(try rules.reason("100.100.100.200", 80) == "metadata p.yaml:4")
        #expect(try rules.reason("::ffff:127.0.0.1", 80) == "localhost p.yaml:1")
        #expect(try rules.reason("255.255.255.255", 80) == "multicast p.yaml:5")
        #expect(try rules.reason("64:ff9b::a01:203", 80) == "private p.yaml:2")
        #expect(try rules.reason("10.1.2.3", 81) == "private p.yaml:2")
        #expect(try rules.reason("8.8.8.8", 81) == "notAllowed p.yaml:9")
        #expect(try rules.reason("8.8.8.8", 80) == "allowed by 0")
    }

    @Test func `a name grants the address that was given out for it, at its ports`() throws {
        let rules = try EgressRules(["api.example:443", "*.wide.example:1-9"])
        #expect(try rules.allows("8.8.8.8", 443, ["api.example"]))
        #expect(try rules.allows("2606:4700::1", 443, ["other.example", "api.example"]))
        #expect(try !rules.allows("8.8.8.8", 444, ["api.example"]))
        #expect(try !rules.allows("8.8.8.8", 443))
        #expect(try !rules.allows("8.8.8.8", 443, ["x.api.example"]))
        #expect(try !rules.allows("8.8.8.8", 443, ["evil-api.example"]))
        #expect(try rules.allows("8.8.8.8", 5, ["a.b.wide.example"]))
        #expect(try !rules.allows("8.8.8.8", 5, ["wide.example"]))
        #expect(try !rules.allows("10.1.2.3", 443, ["api.example"]))
    }

    @Test func `an entry that allows private addresses stands above that set alone`() throws {
        let rules = try EgressRules(["db.internal:5432!", "10.1.2.3:6379!", "0.0.0.0/0:5432"])
        #expect(try rules.allows("10.9.9.9", 5432, ["db.internal"]))
        #expect(try rules.allows("10.1.2.3", 6379))
        #expect(try rules.allows("fd12::1", 5432, ["db.internal"]))
        #expect(try rules.allows("64:ff9b::a01:203", 5432, ["db.internal"]))
        #expect(try !rules.allows("10.1.2.4", 6379))
        #expect(try !rules.allows("10.1.2.3", 5432))
        #expect(try !rules.allows("10.9.9.9", 6379, ["db.internal"]))
        for other in ["127.0.0.1", "169.254.169.254", "100.100.100.200", "fd00:ec2::254", "::1"] {
            #expect(try !rules.allows(other, 5432, ["db.internal"]), "\(other)")
        }
        #expect(try !rules.allows("10.9.9.9", 5432, ["db.internal"], isHost: true))
        let answer = try address("10.9.9.9")
        #expect(rules.mayAnswer(answer, for: try name("db.internal"), isHost: false))
        #expect(!rules.mayAnswer(answer, for: try name("x.internal"), isHost: false))
    }

    @Test func `only host_addresses grants what is the host's own`() throws {
        let wide = try EgressRules(["0.0.0.0/0:80", "[::/0]:80", "10.1.2.3:80!"], deny: [])
        #expect(try wide.reason("8.8.8.8", 80, isHost: true) == "hostAddress p.yaml:9")
        #expect(try wide.reason("10.1.2.3", 80, isHost: true) == "hostAddress p.yaml:9")
        let host = try EgressRules(["host_addresses:80"])
        #expect(try host.allows("8.8.8.8", 80, isHost: true))
        #expect(try host.allows("10.1.2.3", 80, isHost: true))
        #expect(try !host.allows("10.1.2.3", 81, isHost: true))
        #expect(try !host.allows("10.1.2.3", 80))
        #expect(try !host.allows("8.8.8.8", 80))
        #expect(try host.reason("169.254.1.1", 80, isHost: true) == "link_local p.yaml:3")
        for deny in [AddressSet.allCases, []] {
            let rules = try EgressRules(["host_addresses:80"], deny: deny)
            for own in ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::ffff:127.0.0.1"] {
                #expect(try !rules.allows(own, 80, isHost: true), "\(own)")
            }
        }
    }

    @Test func `a name may be asked for when an entry names it`() throws {
        let rules = try EgressRules(["a.example:1", "*.b.example:1", "0.0.0.0/0:1", "*.internal:1"])
        #expect(rules.verdict(name: try name("A.example.")) == .allowed(rule: 0))
        #expect(rules.verdict(name: try name("x.y.b.example")) == .allowed(rule: 1))
        for other in ["b.example", "x.a.example", "evil-a.example", "a.example.evil", "c.example"] {
            #expect(
                rules.verdict(name: try name(other))
                    == .denied(Denial(.notAllowed, place: "p.yaml:9")))
        }
        #expect(
            rules.verdict(name: try name("metadata.google.internal"))
                == .denied(Denial(.deniedSet, set: .metadata, place: "p.yaml:4")))
    }

    @Test func `an answer may hold what could be connected to at some port`() throws {
        var numbers = Numbers(seed: 5)
        let rules = try EgressRules([
            "a.example:443", "b.example:5,7-9!", "*.c.example:80", "host_addresses:22",
            "8.0.0.0/8:53", "10.1.2.3:5432!",
        ])
        let names = try ["a.example", "b.example", "x.c.example", "d.example"].map(name)
        let texts = ["8.8.8.8", "10.1.2.3", "1.1.1.1", "127.0.0.1", "fd12::1", "2606:4700::1"]
        let addresses = try texts.map(address)
        for _ in 0..<2000 {
            let address = try #require(addresses.randomElement(using: &numbers))
            let name = try #require(names.randomElement(using: &numbers))
            let isHost = Bool.random(using: &numbers)
            let isOpen = [5, 8, 22, 53, 80, 443, 5432].contains { (port: UInt16) in
                let verdict = rules.verdict(
                    address: address, port: port, names: [name], isHost: isHost)
                if case .allowed = verdict { return true }
                return false
            }
            #expect(rules.mayAnswer(address, for: name, isHost: isHost) == isOpen)
        }
    }
}
