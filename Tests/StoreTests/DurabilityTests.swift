import Glibc
import Testing

@testable import Store

@Suite struct DurabilityTests {
    private let folder = Folder()

    @Test func `what was stored is there after its process was killed`() async throws {
        let file = folder.file
        await #expect(processExitsWith: .signal(SIGKILL)) { [file = file as String] in
            let store = try Store(path: file)
            let row = ConnectionRow(
                user: "1000", name: "a", card: "time", credentialReference: UUID())
            try store.insertConnection(row, credentials: ["token": [1, 2, 3]])
            try store.recordUsage([
                UsageRow(connection: row.id, tool: "now", duration: .zero, success: true)
            ])
            kill(getpid(), SIGKILL)
        }
        let store = try Store(path: file)
        let row = try #require(try store.connections().first)
        #expect(row.name == "a")
        #expect(row.usageCount == 1)
        #expect(
            try store.credentials(try #require(row.credentialReference)) == ["token": [1, 2, 3]])
        #expect(try store.usageCounts().map(\.calls) == [1])
    }

    @Test func `of a transaction that was killed in the middle nothing is there`() async throws {
        let file = folder.file
        await #expect(processExitsWith: .signal(SIGKILL)) { [file = file as String] in
            let store = try Store(path: file)
            try store.insertConnection(ConnectionRow(user: "1000", name: "a", card: "time"))
            try store.database.transaction("test") { () throws(StoreError) in
                try store.database.run("write", "test", "DELETE FROM mcp_connections")
                kill(getpid(), SIGKILL)
            }
        }
        #expect(try Store(path: file).connections().map(\.name) == ["a"])
    }
}
