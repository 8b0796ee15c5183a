import Policy
import Testing
import YAML

@Suite struct AccessTests {
    private let alice = Caller(uid: 1000, user: "alice", groups: ["staff", "corral"])
    private let bob = Caller(uid: 1001, user: "bob", groups: ["staff"])

    private func read(_ text: String) throws -> Access {
        try Access.read(Array(("version: 1\n" + text).utf8), file: "access.yaml")
    }

    private func mistakes(_ text: String) -> [String] {
        do {
            _ = try Access.read(Array(text.utf8), file: "access.yaml")
            return []
        } catch {
            return error.all.map(\.description)
        }
    }

    @Test func `what no rule allows is denied`() throws {
        let access = try read("allow: [{users: [alice], cards: [time]}]")
        #expect(access.decide(user: alice, card: "time").isAllowed)
        #expect(access.decide(user: bob, card: "time") == .deny(.nothingMatches("access.yaml")))
        #expect(!access.decide(user: alice, card: "git").isAllowed)
        #expect(!access.mayRunCommands(alice).isAllowed)
    }

    @Test func `a rule that names tools opens nothing beside them`() throws {
        let access = try read(
            "allow: [{users: [alice], cards: [time], tools: ['x*']},\n"
                + "        {users: [bob], cards: [time, git], tools: ['x', '*']}]\n"
                + "deny: [{users: [bob], cards: [time], tools: ['y']},\n"
                + "       {users: [bob], cards: [git], tools: ['*']}]")
        #expect(!access.decideBesideTools(user: alice, card: "time").isAllowed)
        #expect(access.decideBesideTools(user: bob, card: "time").isAllowed)
        #expect(!access.decideBesideTools(user: bob, card: "git").isAllowed)
    }

    @Test func `closed access opens nothing, not even to root`() {
        let root = Caller(uid: 0, user: "root", groups: ["root"])
        let access = Access.closed(file: "access.yaml")
        #expect(!access.decide(user: root, card: "time").isAllowed)
        #expect(!access.decide(user: root, card: "time", tool: "now").isAllowed)
        #expect(!access.mayRunCommands(root).isAllowed)
    }

    @Test func `ordinary users mount what they may read, root only what a rule names`() throws {
        let root = Caller(uid: 0, user: "root", groups: ["root"])
        let open = try read("allow: [{users: [alice, root], cards: [git]}]")
        #expect(open.decide(user: alice, card: "git", directory: "/home/alice").isAllowed)
        #expect(!open.decide(user: root, card: "git", directory: "/root").isAllowed)
        let named = try read(
            "allow: [{users: [alice, root], cards: [git], directories: [/srv/git]}]")
        for user in [alice, root] {
            #expect(named.decide(user: user, card: "git", directory: "/srv/git").isAllowed)
            #expect(named.decide(user: user, card: "git", directory: "/srv/git/a").isAllowed)
            // Whole components: a name that only begins alike is another place.
            for other in ["/srv/git-secret", "/srv", "/"] {
                #expect(!named.decide(user: user, card: "git", directory: other).isAllowed)
            }
            #expect(!named.decide(user: user, card: "time", directory: "/srv/git").isAllowed)
        }
        let denied = try read(
            "allow: [{users: [root], cards: [git], directories: [/]}]\ndeny: [{users: [root], cards: [git]}]"
        )
        #expect(!denied.decide(user: root, card: "git", directory: "/srv").isAllowed)
    }

    @Test func `users, groups and everyone are matched by name`() throws {
        let access = try read(
            """
            allow:
              - {users: [bob], cards: [git]}
              - {groups: [corral], cards: [time]}
              - {users: ["*"], cards: [open]}
            """)
        #expect(access.decide(user: bob, card: "git").isAllowed)
        #expect(!access.decide(user: alice, card: "git").isAllowed)
        #expect(access.decide(user: alice, card: "time").isAllowed)
        #expect(!access.decide(user: bob, card: "time").isAllowed)
        #expect(access.decide(user: bob, card: "open").isAllowed)
        // A group's name is no user's name, and the other way round.
        let odd = Caller(uid: 5, user: "corral", groups: ["bob"])
        #expect(!access.decide(user: odd, card: "git").isAllowed)
        #expect(!access.decide(user: odd, card: "time").isAllowed)
    }

    @Test func `a verdict names its rule and line`() throws {
        let access = try read(
            "allow:\n  - {users: [x], cards: [a]}\n  - {users: ['*'], cards: ['*']}\n"
                + "deny:\n  - {users: [bob], tools: ['delete_*']}\n")
        let allowed = access.decide(user: bob, card: "git", tool: "log")
        #expect(allowed.rule == "allow[1]")
        #expect(allowed.place.description == "access.yaml:4:5")
        let denied = access.decide(user: bob, card: "git", tool: "delete_branch")
        #expect(!denied.isAllowed)
        #expect(denied.rule == "deny[0]")
        #expect(denied.place.description == "access.yaml:6:5")
    }

    @Test func `deny wins over every allow`() throws {
        let access = try read(
            """
            allow:
              - {users: ["*"], cards: ["*"], commands: true}
            deny:
              - {users: [bob], cards: [git]}
              - {users: [bob], cards: [time], tools: ["set_*"]}
              - {groups: [corral], commands: true}
            """)
        #expect(!access.decide(user: bob, card: "git").isAllowed)
        #expect(!access.decide(user: bob, card: "git", tool: "log").isAllowed)
        // A rule about some tools leaves the card and the other tools alone.
        #expect(access.decide(user: bob, card: "time").isAllowed)
        #expect(access.decide(user: bob, card: "time", tool: "now").isAllowed)
        #expect(!access.decide(user: bob, card: "time", tool: "set_zone").isAllowed)
        // A rule about commands leaves cards alone, and the other way round.
        #expect(!access.mayRunCommands(alice).isAllowed)
        #expect(access.decide(user: alice, card: "git", tool: "log").isAllowed)
        #expect(access.mayRunCommands(bob).isAllowed)
    }

    @Test func `who is denied every card is denied commands too`() throws {
        let access = try read(
            "allow: [{users: ['*'], cards: ['*'], commands: true}]\n"
                + "deny: [{users: [bob], cards: ['*']}]")
        #expect(!access.mayRunCommands(bob).isAllowed)
        #expect(access.mayRunCommands(alice).isAllowed)
    }

    @Test func `tools of an allow rule limit calls, not the card`() throws {
        let access = try read("allow: [{users: [alice], cards: [git], tools: ['git_*']}]")
        #expect(access.decide(user: alice, card: "git").isAllowed)
        #expect(access.decide(user: alice, card: "git", tool: "git_log").isAllowed)
        #expect(!access.decide(user: alice, card: "git", tool: "push").isAllowed)
    }

    @Test func `rules that would mean nothing are mistakes`() {
        #expect(
            mistakes(
                """
                version: 1
                allow:
                  - {cards: [a]}
                  - {users: [x]}
                  - {users: [x], tools: [a], commands: true}
                  - {users: ["a*"], cards: [a]}
                deny:
                  - {users: [x]}
                  - {users: [x], cards: []}
                  - {groups: ["*"], cards: [a]}
                """) == [
                    "access.yaml:3:5: the rule concerns nobody: give 'users' or 'groups'",
                    "access.yaml:4:5: the rule allows nothing: give 'cards', 'commands' or 'run'",
                    "access.yaml:5:5: 'tools' needs 'cards' beside it",
                    "access.yaml:6:14: write one user's or group's name, or \"*\" alone for "
                        + "everyone",
                    "access.yaml:8:5: the rule denies nothing: give 'cards', 'tools', "
                        + "'commands' or 'run'",
                    "access.yaml:9:5: an empty list denies nothing: leave the key out",
                    "access.yaml:10:5: '*' stands under 'users', not under 'groups'",
                ])
    }

    @Test func `commands are run only with policies that a rule names`() throws {
        let access = try read("allow: [{users: [alice], run: [default, 'open-*']}]")
        #expect(access.decide(user: alice, policy: "default").isAllowed)
        #expect(access.decide(user: alice, policy: "open-1").isAllowed)
        #expect(!access.decide(user: alice, policy: "other").isAllowed)
        #expect(!access.decide(user: bob, policy: "default").isAllowed)
        // Cards and commands through them are something else.
        #expect(!access.decide(user: alice, card: "default").isAllowed)
        #expect(!access.mayRunCommands(alice).isAllowed)
        let cards = try read("allow: [{users: [alice], cards: ['*'], commands: true}]")
        #expect(!cards.decide(user: alice, policy: "default").isAllowed)
    }

    @Test(arguments: [
        ("{users: [alice], run: [default]}", false), ("{users: [alice], run: [other]}", true),
        ("{users: [alice], cards: ['*']}", false), ("{users: [alice], commands: true}", false),
        ("{users: [alice], cards: [time]}", true), ("{users: [alice], tools: ['x*']}", true),
        ("{users: [bob], run: ['*']}", true),
    ])
    func `what takes away commands or everything takes away these`(
        rule: String, isAllowed: Bool
    ) throws {
        let access = try read("allow: [{users: [alice], run: [default]}]\ndeny: [\(rule)]")
        #expect(access.decide(user: alice, policy: "default").isAllowed == isAllowed)
        #expect(
            access.decide(user: alice, policy: "default", directory: "/srv").isAllowed == isAllowed)
    }

    @Test func `a rule that denies commands alone leaves cards as they are`() throws {
        let access = try read(
            "allow: [{users: [alice], cards: [time], commands: true, run: [default]}]\ndeny: [{users: [alice], run: [default]}]"
        )
        #expect(access.decide(user: alice, card: "time").isAllowed)
        #expect(access.decide(user: alice, card: "time", tool: "now").isAllowed)
        #expect(access.mayRunCommands(alice).isAllowed)
        #expect(!access.decide(user: alice, policy: "default").isAllowed)
    }

    @Test func `a command's mounts are judged as a card's`() throws {
        let root = Caller(uid: 0, user: "root", groups: ["root"])
        let open = try read("allow: [{users: [alice, root], run: [default]}]")
        #expect(open.decide(user: alice, policy: "default", directory: "/srv").isAllowed)
        #expect(!open.decide(user: root, policy: "default", directory: "/srv").isAllowed)
        let named = try read(
            "allow: [{users: [alice, root], run: [default], directories: [/srv/a]}]")
        for user in [alice, root] {
            #expect(named.decide(user: user, policy: "default", directory: "/srv/a/b").isAllowed)
            #expect(!named.decide(user: user, policy: "default", directory: "/srv/b").isAllowed)
        }
    }

    @Test(arguments: [
        ("*", "", true), ("*", "anything", true), ("", "", true), ("", "a", false),
        ("a", "a", true), ("a", "ab", false), ("a*", "ab", true), ("*b", "ab", true),
        ("a*c", "abbc", true), ("a*c", "abcd", false), ("a*b*c", "axbxbc", true),
        ("**", "x", true), ("a**b", "ab", true), ("a.c", "abc", false), ("[ab]", "a", false),
        ("?", "a", false),
    ])
    func `only an asterisk stands for something else`(pattern: String, name: String, fits: Bool) {
        #expect(matches(name, pattern: pattern) == fits)
    }

    @Test func `a pattern of many asterisks ends`() {
        let pattern = String(repeating: "*a", count: 60) + "b"
        #expect(!matches(String(repeating: "a", count: 5000), pattern: pattern))
    }
}
