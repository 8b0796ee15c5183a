import Testing

@testable import Store

@Suite struct NetworkTests {
    private let folder = Folder()
    private static let connection = UUID()

    private func row(
        _ number: Int, user: String = "1000", id: String? = nil, at time: Int = 1_000_000,
        connection: UUID? = connection
    ) -> NetworkRow {
        NetworkRow(
            number: number, id: id ?? "a\(number)", changed: number,
            time: Timestamp(milliseconds: time), user: user, origin: .connection, subject: "web",
            connection: connection, policy: "default", sandbox: 7, call: UUID(), calls: 1,
            tools: "fetch", kind: "connect", name: "metadata.example", address: "169.254.169.254",
            port: 80, reason: "denied_set", set: "metadata", rule: "",
            place: "policies/default.yaml:21")
    }

    private func decide(_ store: Store, _ rows: [NetworkRow]) throws {
        try store.recordNetwork(rows.map(NetworkChange.decided))
    }

    @Test func `a decision comes back as it went, and so does its end`() throws {
        let store = try Store(path: folder.file)
        var first = row(1)
        try decide(store, [first])
        #expect(try store.network(id: "a1", user: "1000", atMost: 2) == [first])
        let ending = NetworkEnding(
            sent: 10, received: 1 << 40, microseconds: 77, cause: "unreachable", errno: 111)
        try store.recordNetwork([
            .ended(number: 1, changed: 2, ending), .repeated(number: 1, changed: 3, count: 9),
        ])
        first.ending = ending
        first.changed = 3
        first.count = 9
        #expect(try store.network(id: "a1", user: nil, atMost: 2) == [first])
        #expect(try store.lastNetwork() == (1, 3))
    }

    @Test func `an id is found by its beginning, and by nobody else`() throws {
        let store = try Store(path: folder.file)
        #expect(try store.lastNetwork() == (0, 0))
        try decide(
            store,
            [
                row(1, id: "8f3a"), row(2, id: "8f3b"), row(3, user: "7", id: "8f4c"),
                row(4, id: "8f3a1"),
            ])
        func ids(_ id: String, _ user: String?) throws -> [String] {
            try store.network(id: id, user: user, atMost: 9).map(\.id)
        }
        #expect(try ids("8f3a", "1000") == ["8f3a"])
        #expect(try ids("8f3", "1000") == ["8f3a", "8f3b", "8f3a1"])
        #expect(try ids("8f4", "1000").isEmpty)
        #expect(try ids("8f4", "7") == ["8f4c"])
        #expect(try ids("8f4", nil) == ["8f4c"])
        #expect(try ids("8f3a'; --", nil).isEmpty)
        #expect(throws: StoreError.self) { try decide(store, [row(5, id: "8f3a")]) }
    }

    @Test func `decisions are listed by user and connection, and followed by change`() throws {
        let store = try Store(path: folder.file)
        let other = UUID()
        try decide(
            store, [row(1), row(2, user: "7"), row(3, connection: other), row(4, connection: nil)])
        func numbers(_ user: String?, _ connection: UUID?, _ count: Int = 9) throws -> [Int] {
            try store.network(user: user, connection: connection, newest: count).map(\.number)
        }
        #expect(try numbers("1000", nil) == [1, 3, 4])
        #expect(try numbers("1000", nil, 2) == [3, 4])
        #expect(try numbers("1000", other) == [3])
        #expect(try numbers(nil, nil) == [1, 2, 3, 4])
        try store.recordNetwork([.repeated(number: 1, changed: 5, count: 2)])
        func news(_ changed: Int) throws -> [Int] {
            try store.network(user: "1000", connection: nil, after: changed, atMost: 9)
                .map(\.number)
        }
        #expect(try news(3) == [4, 1])
        #expect(try news(5).isEmpty)
    }

    @Test func `a user's rows are bounded, and no other user pays for them`() throws {
        let store = try Store(path: folder.file)
        try decide(store, [row(1, user: "7")])
        let count = Limit.networkRows + Limit.networkGrowth
        try decide(store, (2...(count + 1)).map { row($0) })
        let kept = try store.network(user: "1000", connection: nil, newest: count)
        #expect(kept.count == Limit.networkRows)
        #expect(kept.last?.number == count + 1)
        #expect(try store.network(user: "7", connection: nil, newest: 9).map(\.number) == [1])
    }

    @Test func `what is too old goes, but never the last number`() throws {
        let store = try Store(path: folder.file)
        let late = Limit.networkAge + 5
        try decide(store, [row(1, at: 1), row(2, at: 4), row(3, at: late), row(4, at: 2)])
        try store.forgetNetwork()
        #expect(
            try store.network(user: "1000", connection: nil, newest: 9).map(\.number) == [3, 4])
        #expect(try store.lastNetwork().number == 4)
    }

    @Test func `a day's bytes are added up by owner`() throws {
        let store = try Store(path: folder.file)
        try store.recordNetwork([
            .carried(owner: "a", day: 1, bytes: 5), .carried(owner: "a", day: 2, bytes: 7),
            .carried(owner: "b", day: 2, bytes: 1), .carried(owner: "a", day: 2, bytes: 3),
        ])
        #expect(try store.networkDay(2) == ["a": 10, "b": 1])
        try store.forgetNetwork()
        #expect(try store.networkDay(1).isEmpty)
    }

    @Test func `every user's list is found by an index`() throws {
        let store = try Store(path: folder.file)
        let plan = try store.database.run(
            "read", "plan",
            """
            EXPLAIN QUERY PLAN SELECT number FROM mcp_network WHERE user_id = 'x'
            ORDER BY number DESC LIMIT 1 OFFSET 9
            """
        ).map { $0.text(3) }.joined()
        #expect(plan.contains("mcp_network_by_user"), "\(plan)")
    }
}
