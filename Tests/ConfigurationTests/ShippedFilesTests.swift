import Configuration
import Kernel
import NetworkRules
import Policy
import RunCards
import Testing
import YAML

/// The files that an installation starts with, and the pages that describe them.
@Suite struct ShippedFilesTests {
    private func shipped() throws -> PolicySet {
        // Where the source lies, anybody may own it.
        try PolicySet.load(
            policies: packageDirectory + "/policies", runcards: packageDirectory + "/runcards",
            .anybody)
    }

    private func page(_ name: String) throws -> String {
        try Files.text(packageDirectory + "/docs/" + name, limit: 256 << 10)
    }

    @Test func `policies, profile, cards and locks fit each other`() throws {
        let set = try shipped()
        #expect(set.policies.keys.sorted() == ["default"])
        #expect(set.profiles.keys.sorted() == ["broker", "default", "egress"])
        #expect(set.cards.keys.sorted() == ["custom", "git", "time"])
        #expect(set.locks.keys.sorted() == ["git", "time"])
        #expect(set.narrowed.values.allSatisfy { $0.network.allow.isEmpty })
    }

    @Test func `the default policy shows every key with its default`() throws {
        var written = try #require(try shipped().policies["default"])
        var silent = try Policy.read(Array("version: 1\nname: default\n".utf8), file: "")
        // Every leaf of the schema is written in the file.
        let leaves = ["limits", "filesystem", "network", "install"].map { $0 + "." }
        #expect(
            written.places.keys.filter { key in leaves.contains { key.hasPrefix($0) } }.count > 15)
        #expect(written.installNetwork.allow.map(\.text) == silent.installNetwork.allow.map(\.text))
        // An entry knows where it is written.
        written.installNetwork.allow = silent.installNetwork.allow
        (written.file, written.places) = ("", [:])
        (silent.file, silent.places) = ("", [:])
        #expect(written == silent)
    }

    @Test func `root may do everything, the group two cards, everybody else nothing`() throws {
        let access = try shipped().access
        let root = Caller(uid: 0, user: "root", groups: ["root"])
        let member = Caller(uid: 1000, user: "alice", groups: ["alice", "corral"])
        let other = Caller(uid: 1001, user: "bob", groups: ["bob"])
        #expect(access.decide(user: root, card: "custom").isAllowed)
        #expect(access.mayRunCommands(root).isAllowed)
        #expect(access.decide(user: root, policy: "default").isAllowed)
        #expect(!access.decide(user: member, policy: "default").isAllowed)
        #expect(access.decide(user: member, card: "time", tool: "convert_time").isAllowed)
        #expect(access.decide(user: member, card: "git").isAllowed)
        #expect(!access.decide(user: member, card: "custom").isAllowed)
        #expect(!access.mayRunCommands(member).isAllowed)
        #expect(!access.decide(user: other, card: "time").isAllowed)
    }

    @Test func `the cards expand to the commands that were verified`() throws {
        let cards = try shipped().cards
        #expect(
            try cards["time"]?.command(settings: [:]) == [
                "/opt/card/bin/mcp-server-time", "--local-timezone", "UTC",
            ])
        let repository = ["repository": ["/srv/project"]]
        let git = try #require(cards["git"])
        #expect(
            try git.command(settings: repository) == [
                "/opt/card/bin/mcp-server-git", "--repository", "/srv/project",
            ])
        #expect(
            try git.environment(settings: repository).contains {
                $0 == .init(name: "GIT_CONFIG_VALUE_0", value: "/srv/project")
            })
        #expect(
            try git.directories(settings: repository) == [
                .init(path: "/srv/project", writable: false)
            ])
        #expect(cards["custom"]?.freeCommand == true)
    }

    @Test(arguments: [
        ("policies.md", Policy.schema.table()),
        ("policies.md", SyscallProfile.schema.table()),
        ("access.md", Access.schema.table()),
        ("run-cards.md", RunCard.schema.table()),
        ("configuration.md", Settings.schema.table()),
    ])
    func `a page has exactly the table of keys that the reader knows`(
        name: String, table: String
    ) throws {
        #expect((try page(name) + "\n").contains("\n\n" + table + "\n"), "put this in:\n\(table)")
    }

    @Test(arguments: AddressSet.allCases)
    func `the page on the network lists every range of each set`(set: AddressSet) throws {
        let line = "| `\(set.rawValue)` | \(set.rangeTexts.joined(separator: ", ")) |\n"
        #expect(try page("network.md").contains(line), "put this in:\n\(line)")
    }
}
