import Glibc
import Testing

/// The style of this project, as far as a program can judge it.
@Suite struct TidyTests {
    static let swift = SourceTree.files(below: ["Sources", "Tests"], ending: [".swift"])
    static let sources = SourceTree.files(below: ["Sources"], ending: [".swift", ".c", ".h"])
    static let written = SourceTree.files(
        below: ["Sources", "Tests", "Benchmarks", "Fuzz", "scripts", "policies", "runcards"],
        ending: [".swift", ".c", ".h", ".py", ".sh", ".yaml"])

    /// Every Swift and C file with what is code in it; read once, as the lexer is slow unoptimised.
    static let code = written.filter { $0.isSwift || $0.isC }
        .map { (file: $0, lines: CodeText.lines(of: $0)) }

    @Test func `the tree is there to be judged`() {
        #expect(Self.sources.count > 10)
        #expect(Self.swift.contains { $0.path == "Tests/TidyTests/TidyTests.swift" })
    }

    @Test func `files are short enough to read in one go`() {
        expectNone(Self.written.flatMap(Rule.fileLength))
    }

    @Test func `lines fit in 100 columns`() {
        expectNone(Self.written.flatMap(Rule.columns))
    }

    @Test func `functions are short`() {
        expectNone(Self.code.flatMap(Rule.functionLength))
    }

    @Test func `the benchmark greets the supervisor in the version that it speaks`() throws {
        func number(after words: String, in path: String) throws -> Substring {
            let file = try #require(Self.written.first { $0.path == path })
            let line = try #require(file.lines.first { $0.contains(words) })
            let rest = try #require(line.split(separator: words).last)
            return rest.prefix { $0.isNumber }
        }
        let greeted = try number(after: "VERSION = ", in: "Benchmarks/starter.c")
        let spoken = try number(
            after: "version: UInt32 = ", in: "Sources/SupervisorProtocol/Message.swift")
        #expect(!greeted.isEmpty && greeted == spoken)
    }

    @Test func `nothing is left unfinished`() {
        expectNone(Self.written.flatMap(Rule.unfinishedWords))
    }

    @Test func `no failure is swallowed and no task is orphaned`() {
        expectNone(Self.judgeSources(Rule.bannedCode))
    }

    @Test func `unsafe code stays behind its fence`() {
        expectNone(Self.judgeSources(Rule.unsafeWords))
    }

    @Test func `pure targets import no effects and nothing imports Foundation`() {
        expectNone(Self.judgeSources(Rule.imports))
    }

    @Test func `public declarations say what they are`() {
        expectNone(Self.judgeSources(Rule.documentation))
    }

    @Test func `the root process and the gateway link neither Foundation nor NIO`() throws {
        let programs = try Programs.directory()
        // Proves that the search finds NIO where it is.
        #expect(Programs.links("\(programs)/corral-broker", "NIOCore"))
        for library in ["Foundation", "NIOCore", "NIOPosix", "Logging"] {
            for program in ["corrald", "corral-egress"] {
                let links = Programs.links("\(programs)/\(program)", library)
                #expect(!links, "\(program) links \(library)")
            }
        }
    }

    private static func judgeSources(
        _ rule: (SourceFile, [String]) -> [Violation]
    ) -> [Violation] {
        code.filter { $0.file.path.hasPrefix("Sources/") }.flatMap { rule($0.file, $0.lines) }
    }

    private func expectNone(
        _ violations: [Violation], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for violation in violations {
            Issue.record("\(violation)", sourceLocation: sourceLocation)
        }
    }
}

/// The programs built beside these tests.
enum Programs {
    struct NoDirectory: Error {}

    /// The directory of this test program and so of the others.
    static func directory() throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { throw NoDirectory() }
        let path = buffer[..<count].map { UInt8(bitPattern: $0) }
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { throw NoDirectory() }
        return String(decoding: path[..<slash], as: UTF8.self)
    }

    /// Whether a program has code of a module, by its mangled names, or needs its shared library.
    static func links(_ program: String, _ module: String) -> Bool {
        let bytes = SourceTree.bytes(of: program)
        let mangled = "$s\(module.utf8.count)\(module)"
        return contains(bytes, "lib\(module).so") || contains(bytes, mangled)
    }

    /// Whether the bytes contain the word; memchr makes 100 MB of debug code quick to search.
    private static func contains(_ bytes: [UInt8], _ word: String) -> Bool {
        let word = Array(word.utf8)
        return unsafe bytes.withUnsafeBytes { whole in
            guard var from = whole.baseAddress else { return false }
            let end = unsafe from + whole.count - word.count
            while unsafe from < end,
                let at = unsafe memchr(from, CInt(word[0]), end - from)
            {
                if unsafe memcmp(at, word, word.count) == 0 { return true }
                unsafe from = UnsafeRawPointer(at) + 1
            }
            return false
        }
    }
}
