import Store
import Testing

@Suite struct ConnectionTests {
    private let folder = Folder()

    private func row(_ name: String, user: String = "1000") -> ConnectionRow {
        ConnectionRow(user: user, name: name, card: "time", settings: #"{"zone":"UTC"}"#)
    }

    @Test func `a connection comes back as it was stored, also after reopening`() throws {
        var stored = row("time")
        stored.credentialReference = UUID()
        stored.era = "modern"
        stored.tools = #"[{"name":"now\u0000"}]"#
        stored.lastUsed = Timestamp(milliseconds: 5)
        try Store(path: folder.file).insertConnection(stored)
        #expect(try Store(path: folder.file).connections() == [stored])
    }

    @Test func `a user's connections are listed by name and apart from others'`() throws {
        let store = try Store(path: folder.file)
        for (name, user) in [("b", "1000"), ("a", "1000"), ("a", "1001")] {
            try store.insertConnection(row(name, user: user))
        }
        #expect(try store.connections(user: "1000").map(\.name) == ["a", "b"])
        #expect(try store.connections(user: "1002").isEmpty)
        #expect(try store.connections().map(\.user) == ["1000", "1000", "1001"])
    }

    @Test func `a user's second connection of one name is refused and leaves nothing`() throws {
        let store = try Store(path: folder.file)
        try store.insertConnection(row("a"))
        var second = row("a")
        second.credentialReference = UUID()
        let error = #expect(throws: StoreError.self) {
            try store.insertConnection(second, credentials: ["token": [1]])
        }
        #expect(error?.code == .connectionExists)
        #expect(
            error?.description
                == "cannot write '\(folder.file)': insert-connection: "
                + "user 1000 has a connection 'a' already")
        #expect(try store.connections().count == 1)
        #expect(try store.credentials(try #require(second.credentialReference)).isEmpty)
        try store.insertConnection(row("a", user: "1001"))
    }

    @Test func `credentials need a reference, and a failed insert stores no connection`() throws {
        let store = try Store(path: folder.file)
        #expect(throws: StoreError.self) {
            try store.insertConnection(row("a"), credentials: ["token": [1]])
        }
        #expect(try store.connections().isEmpty)
        try store.insertConnection(row("a"))
    }

    @Test func `removing a connection wipes its credentials from the disk`() throws {
        let store = try Store(path: folder.file)
        var stored = row("a")
        let reference = UUID()
        stored.credentialReference = reference
        let secret = "correct horse battery staple"
        try store.insertConnection(
            stored, credentials: ["token": Array(secret.utf8), "empty": []])
        #expect(
            try store.credentials(reference) == ["token": Array(secret.utf8), "empty": []])
        #expect(folder.holds(secret), "the search must be able to find it")
        #expect(try store.remove(stored.id))
        #expect(try store.credentials(reference).isEmpty)
        #expect(!folder.holds(secret))
        #expect(try store.connections().isEmpty)
        #expect(try !store.remove(stored.id))
    }

    @Test func `status and tools can be set on a connection that is there`() throws {
        let store = try Store(path: folder.file)
        let stored = row("a")
        try store.insertConnection(stored)
        #expect(try store.setStatus(.failed, of: stored.id))
        #expect(try store.setTools(#"[{"name":"x"}]"#, era: "legacy", of: stored.id))
        let read = try #require(try store.connections().first)
        #expect(read.status == .failed)
        #expect(read.tools == #"[{"name":"x"}]"#)
        #expect(read.era == "legacy")
        #expect(try !store.setStatus(.ready, of: UUID()))
        #expect(try !store.setTools("[]", era: nil, of: UUID()))
    }

    @Test func `text that is not JSON is refused where JSON belongs`() throws {
        let store = try Store(path: folder.file)
        let stored = row("a")
        try store.insertConnection(stored)
        let error = #expect(throws: StoreError.self) {
            try store.setTools("[", era: nil, of: stored.id)
        }
        #expect(error?.code == .invalid)
    }

    @Test func `only the owner may read any of the store's files`() throws {
        let store = try Store(path: folder.file)
        try store.insertConnection(row("a"))
        #expect(Set(folder.names) == ["corral.db", "corral.db-wal", "corral.db-shm"])
        for name in folder.names { #expect(folder.mode(name) == 0o600, "\(name)") }
        #expect(try store.connections().count == 1)
    }
}
