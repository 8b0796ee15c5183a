import Testing

@testable import Supervisor

@Suite struct UIDPoolTests {
    @Test func `the first uid is the installer's and never runs anything`() {
        var pool = UIDPool(first: 100, count: 4)
        #expect(pool.installer == 100)
        #expect([pool.take(), pool.take(), pool.take(), pool.take()] == [101, 102, 103, nil])
    }

    @Test func `a uid that was given back is used last`() {
        var pool = UIDPool(first: 100, count: 4)
        let first = pool.take()
        #expect(first == 101)
        pool.give(back: 101)
        #expect([pool.take(), pool.take(), pool.take()] == [102, 103, 101])
    }

    @Test func `no uid is out twice`() {
        var pool = UIDPool(first: 0x7000_0000, count: 17)
        var out: Set<UInt32> = []
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            if Bool.random(using: &generator), let uid = pool.take() {
                #expect(out.insert(uid).inserted)
            } else if let uid = out.randomElement() {
                out.remove(uid)
                pool.give(back: uid)
            }
        }
    }

    @Test func `it says when all are in use`() {
        var pool = UIDPool(first: 100, count: 2)
        #expect(!pool.isEmpty)
        let only = pool.take()
        #expect(only == 101 && pool.isEmpty)
        pool.give(back: 101)
        #expect(!pool.isEmpty)
    }
}
