import Glibc
import Testing

@testable import Store

@Suite struct FaultTests {
    private let folder = Folder()

    private func openError(_ path: String) -> StoreError? {
        #expect(throws: StoreError.self) { try Store(path: path) }
    }

    @Test func `a file that is no database is refused`() {
        folder.write(Array(repeating: 0x41, count: 8192), to: "corral.db")
        let error = openError(folder.file)
        #expect(error?.code == .corrupt)
        #expect(error?.description.hasSuffix("(move it away and restore a copy)") == true)
    }

    @Test func `a damaged page is reported and not read as rows`() throws {
        let page: Int?
        do {
            let store = try Store(path: folder.file)
            try store.insertConnection(ConnectionRow(user: "1", name: "a", card: "time"))
            try store.database.execute(
                "PRAGMA wal_checkpoint(TRUNCATE)", verb: "write", step: "test")
            page = try store.database.run(
                "read", "test", "SELECT rootpage FROM sqlite_schema WHERE name = 'mcp_connections'"
            ).first?.integer(0)
        }
        // Pages are counted from 1.
        let start = (try #require(page) - 1) * 4096
        folder.write(Array(repeating: 0xff, count: 4096), to: "corral.db", at: start)
        let store = try Store(path: folder.file)
        let error = #expect(throws: StoreError.self) { try store.connections() }
        #expect(error?.code == .corrupt)
    }

    @Test func `a file that others may read is refused`() {
        folder.write([], to: "corral.db")
        unsafe chmod(folder.file, 0o640)
        let error = openError(folder.file)
        #expect(error?.code == .exposed)
        #expect(error?.cause == "its mode is 640")
    }

    @Test func `a link in the file's place is not followed`() {
        unsafe symlink("/tmp/elsewhere", folder.file)
        #expect(openError(folder.file)?.code == .unavailable)
    }

    @Test func `a directory that is not there is named`() {
        let error = openError(folder.path + "/none/corral.db")
        #expect(error?.code == .unavailable)
        #expect(error?.step == "create")
        #expect(error?.cause == "No such file or directory")
    }

    @Test func `a directory that cannot be written is reported`() async {
        unsafe chmod(folder.path, 0o555)
        let file = folder.file
        // Root may write everywhere, so the attempt is made by nobody, in a process of its own.
        await #expect(processExitsWith: .exitCode(7)) { [file = file as String] in
            if geteuid() == 0 { _ = seteuid(65534) }
            do {
                _ = try Store(path: file)
            } catch let error as StoreError where error.code == .readOnly {
                exit(7)
            }
        }
        unsafe chmod(folder.path, 0o700)
    }

    @Test func `a full disk is reported and the rows from before stay`() throws {
        let store = try Store(path: folder.file)
        try store.insertConnection(ConnectionRow(user: "1", name: "a", card: "time"))
        // SQLite reports its own page limit exactly as it reports ENOSPC.
        try store.database.execute("PRAGMA max_page_count = 1", verb: "write", step: "test")
        let large = "[\"" + String(repeating: "x", count: 1 << 20) + "\"]"
        let error = #expect(throws: StoreError.self) {
            try store.insertConnection(
                ConnectionRow(user: "1", name: "b", card: "time", tools: large))
        }
        #expect(error?.code == .full)
        #expect(try store.connections().map(\.name) == ["a"])
    }

    @Test func `a value over the limit is refused`() throws {
        let store = try Store(path: folder.file)
        let row = ConnectionRow(user: "1", name: "a", card: "time")
        try store.insertConnection(row)
        let large = "[\"" + String(repeating: "x", count: Int(Limit.valueBytes)) + "\"]"
        let error = #expect(throws: StoreError.self) {
            try store.setTools(large, era: nil, of: row.id)
        }
        #expect(error?.code == .invalid)
    }

    @Test func `closing a store leaves no descriptor behind`() throws {
        func descriptors() -> Int {
            guard let stream = unsafe opendir("/proc/self/fd") else { return -1 }
            defer { unsafe closedir(stream) }
            var count = 0
            while unsafe readdir(stream) != nil { count += 1 }
            return count
        }
        // Other suites open descriptors meanwhile, so only a leak of many counts as one.
        let before = descriptors()
        var kept: [Store] = []
        for _ in 0..<100 { kept.append(try Store(path: folder.file)) }
        #expect(descriptors() >= before + 100, "the count must be able to see them")
        kept.removeAll()
        #expect(descriptors() < before + 100)
    }
}
