import Glibc
import Testing

@testable import Kernel

@Suite struct AccountsTests {
    private func accounts(_ passwd: String, _ group: String) throws -> Accounts {
        let directory = "/tmp/corral-test-accounts-\(getpid())-\(System.monotonicMicroseconds)"
        try Files.makeDirectory(directory, mode: 0o700)
        defer {
            do { try Files.removeTree(directory) } catch { Issue.record("left: \(error)") }
        }
        try Files.create(directory + "/passwd", mode: 0o600, text: passwd)
        try Files.create(directory + "/group", mode: 0o600, text: group)
        return try Accounts(passwd: directory + "/passwd", group: directory + "/group")
    }

    @Test func `a user has the primary group and those that list the name`() throws {
        let accounts = try accounts(
            "root:x:0:0::/root:/bin/sh\nalice:x:1000:100::/home/alice:/bin/sh\n",
            "root:x:0:\nusers:x:100:\ncorral:x:200:bob,alice\nother:x:300:bob\n")
        let alice = accounts.user(1000)
        #expect(alice == Account(name: "alice", uid: 1000, gid: 100))
        #expect(accounts.groups(of: alice).map(\.name) == ["users", "corral"])
    }

    @Test func `a number that no file knows is its own name, and in no group`() throws {
        // Neither the group of the same number nor one that lists the number as a name.
        let accounts = try accounts(
            "root:x:0:0::/:\n", "docker:x:4711:\nnogroup:x:65534:\nodd:x:9:4711\n")
        let nobody = accounts.user(4711)
        #expect(nobody == Account(name: "4711", uid: 4711, gid: Accounts.noGroup))
        #expect(accounts.groups(of: nobody).isEmpty)
    }

    @Test func `broken lines are no users`() throws {
        let accounts = try accounts("\nalice:x:zero:0\n::\nbob:x:1:1::/:\n", "x:y:z\n")
        #expect(accounts.user(named: "alice") == nil)
        #expect(accounts.user(named: "bob")?.uid == 1)
    }
}
