import NetworkRules
import Testing

@Suite struct HostNameTests {
    @Test func `a name is compared in lower case and without its final dot`() {
        #expect(HostName("API.Example.com.")?.text == "api.example.com")
    }

    @Test(arguments: ["", ".", "a..b", "-a.com", "a_.com.", "ex\u{0}.com", "1.2.3.4", "0x7f.1"])
    func `what a resolver may read otherwise is no name`(_ text: String) {
        #expect((HostName(text) == nil) == (text != "a_.com."))
    }

    @Test func `a subdomain ends in whole labels of its parent`() throws {
        let parent = try #require(HostName("example.com"))
        #expect(HostName("a.example.com")?.isSubdomain(of: parent) == true)
        #expect(HostName("evil-example.com")?.isSubdomain(of: parent) == false)
        #expect(HostName("example.com")?.isSubdomain(of: parent) == false)
    }
}
