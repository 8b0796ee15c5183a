import Store
import Testing

@Suite struct CardTests {
    private let folder = Folder()

    @Test func `the index follows the files and keeps how popular a card is`() throws {
        let store = try Store(path: folder.file)
        let time = CardRow(name: "time", type: "time", description: "Clocks")
        let git = CardRow(name: "git", type: "git", description: "A repository", isPublic: false)
        try store.indexCards([time, git])
        try store.insertConnection(ConnectionRow(user: "1000", name: "t", card: "time"))
        var renamed = time
        renamed.description = "Clocks and zones"
        try store.setCardTools(#"["now"]"#, card: "time")
        try store.indexCards([renamed])
        renamed.popularity = 1
        #expect(try store.cards() == [renamed])
        try store.indexCards([git, renamed])
        #expect(try store.cards() == [renamed, git])
    }
}
