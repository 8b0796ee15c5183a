import NetworkRules
import Testing

@Suite struct AddressTextTests {
    @Test(arguments: [
        ("1.2.3.4", "1.2.3.4"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("0:0:0:0:0:ffff:7f00:1", "::ffff:127.0.0.1"), ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("64:ff9b::1.2.3.4", "64:ff9b::102:304"), ("0001:0002::", "1:2::"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
    ])
    func `an address is printed as RFC 5952 says`(text: String, printed: String) throws {
        #expect(try address(text).description == printed)
    }

    @Test(arguments: [
        "", " ", "1", "1.2", "1.2.3", "1.2.3.4.", ".1.2.3.4", "1..2.3", "1.2.3.4.5", "01.2.3.4",
        "1.2.3.04", "0x1.2.3.4", "0x7f000001", "017700000001", "2130706433", "127.1", "0x7f.1",
        "256.1.1.1", "1.2.3.-4", "+1.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\u{0}", "1.2.3.4\n",
        "1.2.3.٤", "１.２.３.４", "1。2。3。4", "1.2.3.4/32", "1.2.3.4:80", "1,2,3,4", "1.2.3.4%eth0",
        ":", ":::", "::1::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8", "12345::", "::g", "::1%lo", "fe80::1%25eth0", "[::1]", "::1/128",
        "::ffff:1.2.3", "::ffff:1.2.3.256", "::1.2.3.4:5", "1.2.3.4::", ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:", "::0x1", "::+1", "::-1", "::１", "1:2:3:4:5:6:7:1.2.3.4", "localhost",
    ])
    func `any other spelling is no address`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func `what is printed is read again as the same address`() throws {
        var numbers = Numbers(seed: 1)
        for _ in 0..<3000 {
            var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &numbers) }
            // Runs of zeros are what printing shortens.
            for index in bytes.indices where Bool.random(using: &numbers) { bytes[index] = 0 }
            for width in [4, 16] {
                let address = try #require(IPAddress(bytes: bytes.prefix(width)))
                let isSame =
                    IPAddress(address.description) == address
                    && address.bytes == Array(bytes.prefix(width))
                if !isSame { Issue.record("\(address)") }
            }
        }
    }

    @Test(arguments: [
        "10.0.0.0/8", "0.0.0.0/0", "1.2.3.4", "2001:db8::/32", "::/0", "::1",
    ])
    func `a range is printed as it is read`(text: String) throws {
        #expect(try #require(AddressRange(text)).description == text)
    }

    @Test(arguments: [
        "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8",
        "10.0.0.0/255.0.0.0", "2001:db8::1/32", "::/129", "/8", "",
    ])
    func `a range has no bits behind its prefix`(text: String) {
        #expect(AddressRange(text) == nil)
    }
}
