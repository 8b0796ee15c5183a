import Glibc
import Kernel
import Testing

@testable import Supervisor

@Suite struct NetworkPoolTests {
    private func descriptor() throws -> Descriptor {
        try Descriptor.open("/dev/null", O_RDONLY)
    }

    @Test func `a user gets back what was theirs, once`() throws {
        var pool = NetworkPool()
        let network = try descriptor()
        let number = network.raw
        pool.keep(network, of: 7)
        let first = pool.take(of: 7)?.release()
        #expect(first == number)
        #expect(pool.take(of: 7)?.release() == nil)
        _ = close(number)
    }

    @Test func `nobody gets another user's, and nobody's is nobody's`() throws {
        var pool = NetworkPool()
        pool.keep(try descriptor(), of: 7)
        #expect(pool.take(of: 8)?.release() == nil)
        #expect(pool.take(of: nil)?.release() == nil)
        pool.empty()
        #expect(pool.take(of: 7)?.release() == nil)
    }

    @Test func `only so many are kept, and what goes is closed`() throws {
        var pool = NetworkPool()
        let oldest = try descriptor()
        let number = oldest.raw
        pool.keep(oldest, of: 1)
        #expect(fcntl(number, F_GETFD) >= 0)
        for user in 2...UInt32(Limit.networks + 1) { pool.keep(try descriptor(), of: user) }
        #expect(fcntl(number, F_GETFD) < 0)
        #expect(pool.take(of: 1)?.release() == nil)
        pool.empty()
    }

    @Test(.enabled(if: geteuid() == 0, "needs root: network namespaces are made"))
    func `what is wanted once is made ahead, so many of each kind, and none is given twice`() throws
    {
        var pool = NetworkPool()
        #expect(pool.missing == nil)
        let kind = SandboxNetwork.Kind.gateway(loopback: false)
        let first = try pool.lend(kind, to: 7)
        #expect(first.listeners != nil)
        var made = 0
        while let next = pool.missing {
            #expect(next == kind)
            pool.prepare(next)
            made += 1
        }
        #expect(made == Limit.networksAhead)
        var seen: Set<String> = []
        for _ in 0..<made + 1 {
            let loan = try pool.lend(kind, to: 7)
            guard let network = loan.take() else {
                Issue.record("nothing was lent")
                return
            }
            seen.insert(try Files.linkTarget("/proc/self/fd/\(network.raw)") ?? "")
            #expect(loan.take()?.release() == nil)
        }
        #expect(seen.count == made + 1)
        // Another kind is another namespace.
        #expect(try pool.lend(.loopback, to: 7).listeners == nil)
        #expect(try pool.lend(nil, to: 7).take()?.release() == nil)
        pool.empty()
        #expect(pool.missing == nil)
    }
}
