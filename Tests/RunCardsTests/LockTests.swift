import RunCards
import Testing
import YAML

@Suite struct LockTests {
    private let hash = "--hash=sha256:" + String(repeating: "0a", count: 32)

    private func mistakes(_ text: String) -> [String] {
        do {
            _ = try Lock.read(Array(text.utf8), file: "x.lock")
            return []
        } catch {
            return error.all.map(\.description)
        }
    }

    @Test func `packages, hashes and comments are read as pip writes them`() throws {
        let text = """
            # a comment
            Foo.Bar==1.2.3 \\
                \(hash) \\
                \(hash)
                # via something

            baz==2!1.0+local.1 \(hash)
            """
        let lock = try Lock.read(Array(text.utf8), file: "x.lock")
        #expect(lock.packages.map(\.pin.name) == ["foo-bar", "baz"])
        #expect(lock.packages.map(\.pin.version) == ["1.2.3", "2!1.0+local.1"])
        #expect(lock.packages.map(\.hashes.count) == [2, 1])
        #expect(lock.text == text)
    }

    @Test(arguments: [
        "", "# nothing", "a==1", "a==1 \\", "a", "a>=1 HASH", "a==1.* HASH", "a==1,<2 HASH",
        "a[x]==1 HASH", "a==1 ; python_version < '3' HASH", "a @ https://x/a.whl HASH",
        "https://x/a.whl HASH", "-r other.txt", "--index-url https://x", "-e .", "./a.whl HASH",
        "a==1 HASH --no-binary :all:", "a==1 HASHx", "a==1 --hash=md5:00", "a==1 --hash=sha256:00",
        "a==1 \\\n# comment\nHASH", "a==1 \\\n\nHASH", "a==1 HASH\nA==1 HASH", "a==1\tHASH",
        "a==1 HASH\r\n", "# \u{2028}--index-url https://x\na==1 HASH", "a==1 HASH \\",
        "HASH", "a==1 HASH\n\u{C}--pre", "a== HASH", "==1 HASH",
    ])
    func `anything else is refused, since pip would obey it`(text: String) {
        #expect(mistakes("good==1 HASH\n".replacing("HASH", with: hash)) == [])
        #expect(mistakes(text.replacing("HASH", with: hash)) != [])
    }

    @Test func `mistakes carry their lines`() {
        #expect(
            mistakes("a==1 \(hash)\n-r b\nc==1 --hash=x\n").prefix(2).map { $0.prefix(11) } == [
                "x.lock:1:1:", "x.lock:2:1:",
            ])
    }

    @Test func `a requirement that the lock does not pin is a mistake of the card`() throws {
        let text = """
            version: 1
            name: c
            title: C
            description: A card
            install: {pypi: [Foo_Bar==1.2.3, baz==2.0], lock: x.lock}
            command: ["{prefix}/bin/x"]
            """
        let card = try RunCard.read(Array(text.utf8), file: "c.yaml")
        let lock = try Lock.read(
            Array("foo-bar==1.2.3 \(hash)\nbaz==2.1 \(hash)\n".utf8), file: "x.lock")
        #expect(
            card.missing(in: lock).map(\.description) == [
                "c.yaml:5:34: 'baz==2.0' is not in x.lock (make the lock again)"
            ])
    }
}
