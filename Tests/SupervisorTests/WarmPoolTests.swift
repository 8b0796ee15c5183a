import Kernel
import NetworkRules
import Sandbox
import Testing

@testable import Supervisor

@Suite struct WarmPoolTests {
    /// Stands for a sandbox.
    private final class Member {}

    private func order(
        _ name: String, warm: Int = 1, idle: UInt64 = 100, words: [String] = [],
        trees: [LaunchPlan.Target] = []
    ) -> Nursery.Order {
        let limits = EgressRules.Limits(
            connections: 1, connectionsPerSecond: 1, bytesPerCall: nil, bytesPerDay: nil,
            idleMilliseconds: 1, lifeMilliseconds: nil)
        return Nursery.Order(
            purpose: .run(request: 1, command: name),
            tree: TreeSource(name: ["command", name]) { () throws(SandboxError) in
                throw SandboxError(step: "compose", cause: "it is never made")
            }, profile: "default",
            limits: .init(memoryBytes: 1 << 24, processes: 8, cpuMillicores: 1000), user: 1000,
            network: NetworkGrant(
                source: .run(policy: name, allow: [], isRoot: false),
                rules: EgressRules(allow: [], deny: [], limits: limits)),
            plan: LaunchPlan(
                uid: 0, scratchBytes: 1 << 20, cpuSeconds: 1, fileBytes: 1, openFiles: 16,
                hostname: name, directory: "/", trees: trees, arguments: words, environment: []),
            warm: warm, idleMicroseconds: idle)
    }

    /// Makes all that is missing, and trusts it.
    private func fill(_ pool: inout WarmPool<Member>) -> [Member] {
        var made: [Member] = []
        while let kind = pool.missing {
            let member = Member()
            pool.keep(member, as: kind)
            pool.trust(member)
            made.append(member)
        }
        return made
    }

    @Test func `one serves one start, whatever that runs`() {
        var pool = WarmPool<Member>()
        _ = pool.want(order("a", words: ["one"]), now: 1)
        let made = fill(&pool)
        #expect(made.count == 1 && pool.count == 1)
        #expect(pool.take(for: order("b")) == nil)
        #expect(pool.take(for: order("a", words: ["two"])) === made[0])
        #expect(pool.take(for: order("a")) == nil)
        #expect(pool.missing != nil)
    }

    @Test func `one that nobody has looked at serves nobody`() throws {
        var pool = WarmPool<Member>()
        _ = pool.want(order("a"), now: 1)
        let member = Member()
        pool.keep(member, as: try #require(pool.missing))
        #expect(pool.missing == nil)
        #expect(pool.take(for: order("a")) == nil)
        pool.trust(Member())
        #expect(pool.take(for: order("a")) == nil)
        pool.trust(member)
        #expect(pool.take(for: order("a")) === member)
    }

    @Test func `policies without it and starts with mounts want none`() {
        var pool = WarmPool<Member>()
        #expect(pool.want(order("a", warm: 0), now: 1) == nil)
        let mount = LaunchPlan.Target(path: "/srv", writable: false)
        #expect(pool.want(order("a", trees: [mount]), now: 1) == nil)
        #expect(pool.missing == nil)
    }

    @Test func `the kind unused longest goes when there are too many`() {
        var pool = WarmPool<Member>()
        let names = (0..<Limit.warmKinds).map { "k\($0)" }
        for (index, name) in names.enumerated() {
            _ = pool.want(order(name), now: UInt64(index))
        }
        let made = fill(&pool)
        // The last wanted is made first.
        #expect(made.count == names.count && pool.takeUnwanted().isEmpty)
        _ = pool.want(order(names[0]), now: 50)
        _ = pool.want(order("more"), now: 51)
        let gone = pool.takeUnwanted()
        #expect(gone.count == 1 && gone[0] === made[names.count - 2])
        #expect(pool.take(for: order(names[1])) == nil)
        #expect(pool.take(for: order(names[0])) != nil)
        #expect(pool.takeUnwanted().isEmpty)
    }

    @Test func `all kinds together are no more than so many`() {
        var pool = WarmPool<Member>()
        for index in 0..<Limit.warmKinds {
            _ = pool.want(order("k\(index)", warm: 8), now: UInt64(index))
            _ = fill(&pool)
            #expect(pool.count - pool.takeUnwanted().count <= Limit.warmSandboxes)
        }
        #expect(pool.count == Limit.warmSandboxes)
    }

    @Test func `a kind that nobody starts goes after its time, unless one of it runs`() {
        var pool = WarmPool<Member>()
        _ = pool.want(order("a", idle: 100), now: 0)
        let running = pool.want(order("b", idle: 100), now: 10)
        #expect(fill(&pool).count == 2)
        #expect(pool.due == 100)
        pool.forgetUnused(now: 99) { _ in false }
        #expect(pool.takeUnwanted().isEmpty)
        pool.forgetUnused(now: 110) { $0 === running }
        #expect(pool.takeUnwanted().count == 1)
        #expect(pool.take(for: order("a")) == nil)
        #expect(pool.due == 210)
        pool.forgetUnused(now: 210) { _ in false }
        #expect(pool.takeUnwanted().count == 1)
        #expect(pool.count == 0 && pool.due == nil)
    }

    @Test func `a start that lacks something gets it from the kind unused longest`() {
        var pool = WarmPool<Member>()
        _ = pool.want(order("a"), now: 1)
        _ = pool.want(order("b"), now: 2)
        let made = fill(&pool)
        #expect(pool.giveUpOne() === made[1])
        #expect(pool.giveUpOne() === made[0])
        #expect(pool.giveUpOne() == nil)
        // Nothing is made again before somebody starts it.
        #expect(pool.missing == nil)
        _ = pool.want(order("a"), now: 3)
        #expect(pool.missing != nil)
    }

    @Test func `one that ends by itself is not made again and again`() throws {
        var pool = WarmPool<Member>()
        _ = pool.want(order("a", warm: 2), now: 1)
        let made = fill(&pool)
        pool.ended(made[0])
        #expect(pool.count == 1 && pool.missing == nil)
        #expect(pool.take(for: order("a")) === made[1])
        _ = pool.want(order("a", warm: 2), now: 2)
        #expect(fill(&pool).count == 2)
        pool.empty()
        #expect(pool.takeUnwanted().count == 2 && pool.missing == nil)
    }
}
