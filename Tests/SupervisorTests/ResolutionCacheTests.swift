import Configuration
import Policy
import SupervisorProtocol
import Testing

@testable import Supervisor

@Suite struct ResolutionCacheTests {
    private static let card = """
        name: clock
        title: Clock
        description: Tells the time
        command: [/usr/bin/clock, "{zone}"]
        settings: [{name: zone, default: UTC}]
        credentials: [{name: key, env: KEY}]

        """

    private func set(_ users: String = "ada") throws -> PolicySet {
        func file(_ name: String, _ text: String) -> PolicySet.Contents.File {
            .init(name: name, bytes: Array(("version: 1\n" + text).utf8))
        }
        return try PolicySet(
            .init(
                access: file("access.yaml", "allow: [{users: [\(users)], cards: ['*']}]\n"),
                policies: [file("default.yaml", "name: default\n")],
                profiles: [file("syscalls/default.yaml", "name: default\nentries: []\n")],
                cards: [file("clock.yaml", Self.card)], locks: []))
    }

    private func request(zone: String = "UTC", secret: String? = nil) -> Request.Start {
        Request.Start(
            id: 1, user: 1000, connection: "", card: "clock",
            settings: [.init(name: "zone", values: [zone])],
            credentials: secret.map { [.init(name: "key", value: $0)] } ?? [])
    }

    @Test func `a request that comes again is not resolved again`() throws {
        var cache = ResolutionCache()
        let set = try set()
        var resolved = 0
        for _ in 0..<3 {
            let found = try cache.resolution(request(), set: set, accounts: 1) {
                () throws(Refusal) in
                resolved += 1
                return try Resolution(request(), set: set, caller: ada)
            }
            #expect(found.command == ["/usr/bin/clock", "UTC"])
        }
        #expect(resolved == 1)
    }

    @Test func `other settings, accounts, policies and secrets are looked at anew`() throws {
        var cache = ResolutionCache()
        var resolved = 0
        for (request, users, accounts) in [
            (request(), "ada", 1), (request(zone: "CET"), "ada", 1),
            (request(zone: "CET"), "ada", 2), (request(zone: "CET"), "'*'", 2),
            (request(zone: "CET", secret: "a"), "'*'", 2),
            (request(zone: "CET", secret: "a"), "'*'", 2),
        ] {
            let set = try set(users)
            let found = try cache.resolution(request, set: set, accounts: accounts) {
                () throws(Refusal) in
                resolved += 1
                return try Resolution(request, set: set, caller: ada)
            }
            #expect(found.command.last == request.settings[0].values[0])
            #expect(found.environment.contains("KEY=a") == !request.credentials.isEmpty)
        }
        #expect(resolved == 6)
    }

    @Test func `a user who may not any more gets no remembered answer`() throws {
        var cache = ResolutionCache()
        for (users, allowed) in [("ada", true), ("bob", false)] {
            let set = try set(users)
            let found: Resolution?
            do throws(Refusal) {
                found = try cache.resolution(request(), set: set, accounts: 1) {
                    () throws(Refusal) in
                    try Resolution(request(), set: set, caller: ada)
                }
            } catch {
                found = nil
            }
            #expect((found != nil) == allowed)
        }
    }

    private let ada = Caller(uid: 1000, user: "ada", groups: ["ada"])
}
