import NetworkRules
import Testing

@Suite struct AddressSetTests {
    /// Some addresses of each range that IANA's special-purpose registries list as not reachable
    /// from the public network, and those where clouds hand out credentials.
    static let special: [(address: String, sets: Set<AddressSet>)] = [
        ("0.0.0.0", [.localhost]), ("0.255.255.255", [.localhost]), ("127.0.0.1", [.localhost]),
        ("127.255.255.255", [.localhost]), ("10.0.0.0", [.private]), ("10.255.255.255", [.private]),
        ("100.64.0.0", [.private]), ("100.127.255.255", [.private]), ("172.16.0.0", [.private]),
        ("172.31.255.255", [.private]), ("192.168.0.0", [.private]),
        ("192.168.255.255", [.private]), ("169.254.0.0", [.linkLocal]),
        ("169.254.255.255", [.linkLocal]), ("169.254.169.254", [.linkLocal, .metadata]),
        ("169.254.170.2", [.linkLocal, .metadata]), ("169.254.170.23", [.linkLocal, .metadata]),
        ("169.254.169.253", [.linkLocal, .metadata]), ("169.254.169.123", [.linkLocal, .metadata]),
        ("100.100.100.200", [.private, .metadata]), ("168.63.129.16", [.metadata]),
        ("192.0.0.192", [.reserved, .metadata]), ("192.0.0.0", [.reserved]),
        ("192.0.0.255", [.reserved]), ("192.0.2.1", [.reserved]), ("192.88.99.1", [.reserved]),
        ("198.18.0.0", [.reserved]), ("198.19.255.255", [.reserved]),
        ("198.51.100.255", [.reserved]), ("203.0.113.0", [.reserved]),
        ("224.0.0.0", [.multicast]), ("239.255.255.255", [.multicast]), ("240.0.0.0", [.reserved]),
        ("255.255.255.254", [.reserved]), ("255.255.255.255", [.reserved, .multicast]),
        ("::", [.localhost, .reserved]), ("::1", [.localhost, .reserved]),
        ("fc00::", [.private]), ("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", [.private]),
        ("fec0::1", [.private]), ("fe80::1", [.linkLocal]), ("febf:ffff::", [.linkLocal]),
        ("fe80::a9fe:a9fe", [.linkLocal, .metadata]), ("fd00:ec2::254", [.private, .metadata]),
        ("fd00:ec2::23", [.private, .metadata]), ("fd20:ce::254", [.private, .metadata]),
        ("fd00:c1::a9fe:a9fe", [.private, .metadata]), ("fd00:42::42", [.private, .metadata]),
        ("ff00::", [.multicast]), ("ff02::1", [.multicast]),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", [.multicast]), ("100::1", [.reserved]),
        ("100:0:0:1::1", [.reserved]), ("2001::1", [.reserved, .localhost]),
        ("2001:2::1", [.reserved]), ("2001:10::1", [.reserved]), ("2001:20::1", [.reserved]),
        ("2001:1ff:ffff::", [.reserved]), ("2001:db8::1", [.reserved]), ("3fff::1", [.reserved]),
        ("3fff:fff::1", [.reserved]), ("5f00::1", [.reserved]), ("64:ff9b:1::808:808", [.reserved]),
        ("1::1", [.reserved]), ("4000::1", [.reserved]), ("fe00::1", [.reserved]),
        ("8000::", [.reserved]), ("200::1", [.reserved]),
    ]

    @Test(arguments: special)
    func `each special address is in its sets`(text: String, sets: Set<AddressSet>) throws {
        // What carries 0.0.0.0 (a range's own beginning) may be in localhost besides.
        let found = AddressSet.all(of: try address(text))
        #expect(sets.isSubset(of: found) && found.isSubset(of: sets.union([.localhost])))
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
        "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
        "198.20.0.0", "198.51.99.255", "203.0.114.0", "223.255.255.255", "168.63.129.15",
        "2001:200::1", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "3ffe::1",
        "2001:db7:ffff::", "2001:db9::", "2003::1", "64:ff9b::808:808", "2400:cb00::1",
    ])
    func `a public address is in none`(text: String) throws {
        #expect(AddressSet.all(of: try address(text)) == [])
    }

    /// Every way to write an IPv4 address into an IPv6 one.
    static let forms: [@Sendable (UInt32) -> IPAddress] = [
        { IPAddress(v6: 0, UInt64($0)) },
        { IPAddress(v6: 0, 0xffff_0000_0000 | UInt64($0)) },
        { IPAddress(v6: 0, 0xffff_0000_0000_0000 | UInt64($0)) },
        { IPAddress(v6: 0x0064_ff9b_0000_0000, UInt64($0)) },
        { IPAddress(v6: 0x0064_ff9b_0001_0000, UInt64($0)) },
        { IPAddress(v6: 0x0064_ff9b_0001_abcd, UInt64($0)) },
        {
            IPAddress(
                v6: 0x0064_ff9b_0001_0000 | UInt64($0 >> 16), UInt64($0 & 0xffff) << 40)
        },
        {
            IPAddress(
                v6: 0x0064_ff9b_0001_aa00 | UInt64($0 >> 24), UInt64($0 & 0xff_ffff) << 32)
        },
        { IPAddress(v6: 0x0064_ff9b_0001_aabb, UInt64($0) << 24) },
        { IPAddress(v6: 0x2002_0000_0000_0000 | UInt64($0) << 16 | 7, 9) },
        { IPAddress(v6: 0x2001_0000_0000_0000 | UInt64($0), 0x1234_5678_0000_0000) },
        { IPAddress(v6: 0x2001_0000_0808_0808, 0x8000_f000_0000_0000 | UInt64(~$0)) },
        { IPAddress(v6: 0x2a00_1450_0000_0001, 0x0000_5efe_0000_0000 | UInt64($0)) },
        { IPAddress(v6: 0x2a00_1450_0000_0001, 0x0200_5efe_0000_0000 | UInt64($0)) },
        { IPAddress(v6: 0xfe80_0000_0000_0000, 0x0200_5efe_0000_0000 | UInt64($0)) },
    ]

    @Test func `an address is in the sets of what it carries`() throws {
        var numbers = Numbers(seed: 2)
        let special = Self.special.compactMap { IPAddress($0.address) }.filter { $0.family == .v4 }
        #expect(special.count > 30)
        for _ in 0..<20 {
            let random = UInt32.random(in: 0...UInt32.max, using: &numbers)
            for inner in special + [IPAddress(v4: random)] {
                let bits = inner.bytes.reduce(0) { $0 << 8 | UInt32($1) }
                for (index, form) in Self.forms.enumerated() {
                    let outer = form(bits)
                    let sets = AddressSet.all(of: inner)
                    let isFound =
                        outer.embedded.contains(inner)
                        && sets.isSubset(of: AddressSet.all(of: outer))
                    if !isFound { Issue.record("form \(index): \(outer)") }
                }
            }
        }
    }

    @Test func `every IPv6 address outside global unicast is in some set`() {
        var numbers = Numbers(seed: 3)
        for _ in 0..<5000 {
            let high = UInt64.random(in: 0...UInt64.max, using: &numbers)
            let address = IPAddress(v6: high, UInt64.random(in: 0...UInt64.max, using: &numbers))
            let isPublic = high >> 61 == 1
            if !isPublic, AddressSet.all(of: address).isEmpty { Issue.record("\(address)") }
        }
    }
}
