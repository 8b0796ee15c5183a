import Store
import Testing

@Suite struct UsageTests {
    private let folder = Folder()

    @Test func `recorded calls count for their tool and their connection`() throws {
        let store = try Store(path: folder.file)
        let connection = ConnectionRow(user: "1000", name: "a", card: "time")
        try store.insertConnection(connection)
        func call(_ tool: String, _ success: Bool, at time: Int) -> UsageRow {
            UsageRow(
                connection: connection.id, agent: "ide", tool: tool,
                duration: .microseconds(1500), success: success,
                error: success ? nil : #"{"reason":"timeout"}"#,
                executedAt: Timestamp(milliseconds: time))
        }
        try store.recordUsage([
            call("now", true, at: 10), call("now", false, at: 30), call("zone", true, at: 20),
        ])
        #expect(
            try store.usageCounts() == [
                UsageCount(connection: connection.id, tool: "now", calls: 2, failures: 1),
                UsageCount(connection: connection.id, tool: "zone", calls: 1, failures: 0),
            ])
        let read = try #require(try store.connections().first)
        #expect(read.usageCount == 3)
        #expect(read.lastUsed == Timestamp(milliseconds: 30))
    }

    @Test func `a call that is recorded again is counted once`() throws {
        let store = try Store(path: folder.file)
        let connection = ConnectionRow(user: "1000", name: "a", card: "time")
        try store.insertConnection(connection)
        let call = UsageRow(
            connection: connection.id, tool: "now", duration: .zero, success: true)
        try store.recordUsage([call, call])
        try store.recordUsage([call])
        #expect(try store.usageCounts().map(\.calls) == [1])
        #expect(try store.connections().map(\.usageCount) == [1])
    }

    @Test func `a batch with a bad row records none of it`() throws {
        let store = try Store(path: folder.file)
        func call(_ error: String?) -> UsageRow {
            UsageRow(
                connection: UUID(), tool: "now", duration: .zero, success: false, error: error)
        }
        #expect(throws: StoreError.self) { try store.recordUsage([call(nil), call("{")]) }
        #expect(try store.usageCounts().isEmpty)
        try store.recordUsage([call("{}")])
        #expect(try store.usageCounts().count == 1)
    }

    @Test func `what a call used is kept, and what was not counted is not 0`() throws {
        let store = try Store(path: folder.file)
        let connection = UUID()
        let all = [
            UsageRow.Figures(
                cpuMicroseconds: 1, memoryPeakBytes: 2, memoryPeakSince: "overlap", bytesIn: 3,
                bytesOut: 4, isShared: true),
            UsageRow.Figures(bytesIn: 0, bytesOut: 0, isShared: false), nil,
        ]
        for (time, figures) in all.enumerated() {
            try store.recordUsage([
                UsageRow(
                    connection: connection, tool: "now", duration: .zero, success: true,
                    executedAt: Timestamp(milliseconds: time), figures: figures)
            ])
        }
        #expect(try store.figures(of: connection, newest: 9) == all.reversed())
        #expect(try store.figures(of: connection, newest: 1) == [nil])
        #expect(try store.figures(of: UUID(), newest: 9).isEmpty)
    }

    @Test func `usage outlives its connection`() throws {
        let store = try Store(path: folder.file)
        let connection = ConnectionRow(user: "1000", name: "a", card: "time")
        try store.insertConnection(connection)
        try store.recordUsage([
            UsageRow(connection: connection.id, tool: "now", duration: .zero, success: true)
        ])
        #expect(try store.remove(connection.id))
        #expect(try store.usageCounts().map(\.calls) == [1])
    }
}
