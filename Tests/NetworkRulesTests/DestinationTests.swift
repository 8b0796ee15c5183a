import NetworkRules
import Testing

@Suite struct DestinationTests {
    @Test(arguments: [
        "api.github.com:443", "db_1.internal:5432", "*.example.com:443,8443", "*.internal:80",
        "10.1.2.3:5432", "10.1.0.0/16:80", "0.0.0.0/0:443", "[2001:db8::]:443",
        "[2001:db8::/32]:443", "[::]:1", "host_addresses:8080", "a:1-65535",
        "203.0.113.0/24:443,8000-8100,9000", "xn--bcher-kva.example:443", "1a.example:80",
    ])
    func `an entry is printed as it is read`(text: String) throws {
        #expect(try Destination(text).description == text)
    }

    @Test(arguments: [
        "", ":", "example.com", "example.com:", "example.com:0", "example.com:65536",
        "example.com:08", "example.com:+8", "example.com: 8", "example.com:8 ", ":443",
        "Example.com:443", "EXAMPLE.COM:443", "-a.com:1", "a-.com:1", "a..b:1", "a.b.:1", ".a:1",
        "exämple:1", "ＥＸ.com:1", "example。com:443", "*:443", "*.:443", "a.*.com:443", "*a.com:1",
        "*.*.com:1", "**.com:1", "*.1.2.3.4:1", "1.2.3:4", "1.2.3.4.5:6", "01.2.3.4:5", "0x7f.1:5",
        "0x7f000001:5", "017700000001:5", "127.1:5", "256.1.1.1:5", "2130706433:80", "1.2.3.٤:5",
        "example.com:٤٤٣", "1.2.3.4/33:5", "1.2.3.4/-1:5", "1.2.3.4/8:5", "1.2.3.4/:5",
        "1.2.3.4/08:5", "1.2.3.4.:5", "::1:443", "[::1]", "[::1:443", "::1]:443", "[1::2::3]:4",
        "[12345::]:1", "[::g]:1", "[fe80::1%eth0]:1", "[fe80::1%25eth0]:1", "[1:2:3:4:5:6:7]:1",
        "[1:2:3:4:5:6:7:8:9]:1", "[:::]:1", "[2001:db8::1/32]:1", "[1.2.3.4]:1", "[]:1",
        "[::ffff:1.2.3.4]:1", "[::ffff:1.2.3.0/120]:1", "user@host:1", "user:pw@host:1",
        "http://a:1", "a b:1", "a\u{0}.example.com:1", "a\t:1", "a\\b:1", "a%2eb:1", "a:1,", "a:,1",
        "a:1-", "a:-1", "a:2-1", "a:1-1", "a:1-2-3", "a:80;443", "a:*", "a:http",
        "host_addresses", "host_addresses:", "*.host_addresses", "[host_addresses]:1",
        "example.com/24:1", "a:" + (0..<33).map { "\(1 + $0)" }.joined(separator: ","),
    ])
    func `anything ambiguous is refused`(text: String) {
        #expect(throws: MalformedDestination.self) { try Destination(text) }
    }

    @Test(arguments: [
        ("a.example:80,443", "a.example:443", true),
        ("a.example:1-1000", "a.example:5,80-90", true),
        ("a.example:1-10,11-20", "a.example:5-15", true),
        ("a.example:11-20,1-10", "a.example:1-20", true),
        ("a.example:1-10,12-20", "a.example:5-15", false),
        ("a.example:443", "a.example:444", false),
        ("a.example:443", "b.example:443", false), ("*.example:443", "a.example:443", true),
        ("*.example:443", "a.b.example:443", true), ("*.example:443", "*.b.example:443", true),
        ("*.example:443", "*.example:443", true), ("*.b.example:443", "*.example:443", false),
        ("*.example.com:443", "example.com:443", false),
        ("*.example.com:443", "evil-example.com:443", false),
        ("a.example:443", "*.a.example:443", false), ("10.0.0.0/8:443", "10.1.0.0/16:443", true),
        ("10.0.0.0/8:443", "10.9.9.9:443", true), ("10.1.0.0/16:443", "10.0.0.0/8:443", false),
        ("0.0.0.0/0:443", "[::1]:443", false), ("[::/0]:443", "1.1.1.1:443", false),
        ("[2001:db8::/32]:1", "[2001:db8:7fff::1]:1", true),
        ("host_addresses:1-9", "host_addresses:5", true),
        ("0.0.0.0/0:1", "host_addresses:1", false),
        ("host_addresses:1", "127.0.0.1:1", false),
    ])
    func `an entry covers what names nothing more`(
        entry: String, wish: String, isCovered: Bool
    ) throws {
        #expect(try Destination(entry).covers(try Destination(wish)) == isCovered)
    }

    @Test func `an entry covers exactly the ports that it names`() throws {
        var numbers = Numbers(seed: 4)
        func ports() -> [ClosedRange<UInt16>] {
            (0...Int.random(in: 0...4, using: &numbers)).map { _ in
                let first = UInt16.random(in: 1...40, using: &numbers)
                return first...UInt16.random(in: first...(first + 12), using: &numbers)
            }
        }
        let host = Destination.Host.name(try name("a.example"))
        for _ in 0..<5000 {
            let (entry, wish) = (
                Destination(host: host, ports: ports()), Destination(host: host, ports: ports())
            )
            let (have, wanted) = (Set(entry.ports.joined()), Set(wish.ports.joined()))
            let isRight = entry.covers(wish) == wanted.isSubset(of: have)
            if !isRight { Issue.record("\(entry) \(wish)") }
        }
    }

    @Test func `several entries cover together the ports of one wish`() throws {
        let entries = try ["a.example:80", "*.example:443", "b.example:1-65535"].map {
            try Destination($0)
        }
        #expect(entries.cover(try Destination("a.example:80,443")))
        #expect(!entries.cover(try Destination("a.example:80,8443")))
    }
}
