import Testing

/// Each rule finds what it forbids and nothing else: a rule that finds nothing would let all pass.
@Suite struct RuleTests {
    private func file(_ text: String, path: String = "Sources/Policy/Sample.swift") -> SourceFile {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return SourceFile(path: path, lines: lines.map(String.init))
    }

    private func found(
        _ rule: (SourceFile, [String]) -> [Violation], _ text: String,
        path: String = "Sources/Policy/Sample.swift"
    ) -> [Int] {
        let sample = file(text, path: path)
        return rule(sample, CodeText.lines(of: sample)).map(\.line)
    }

    @Test func `comments and strings are not code`() {
        let text = """
            let a = "x { \\(b("}")) /* " // { y
            let c = #"\\("# /* { /* } */ { */ + 1
            """
        #expect(
            CodeText.lines(of: file(text)).map { $0.filter { $0 != " " } } == ["leta=", "letc=+1"])
    }

    @Test func `a long function is found and a long type is not`() {
        let body = Array(repeating: "    let a = 1", count: 69).joined(separator: "\n")
        #expect(found(Rule.functionLength, "struct A {\nfunc f() {\n\(body)\n}\n}") == [2])
        #expect(found(Rule.functionLength, "struct A {\n\(body)\n\(body)\n}").isEmpty)
        let path = "Sources/CLaunch/a.c"
        #expect(found(Rule.functionLength, "int f(int a)\n{\n\(body);\n}\n", path: path) == [1])
        #expect(found(Rule.functionLength, "int f(int a);\n\(body)\n", path: path).isEmpty)
    }

    @Test func `a wrapped signature belongs to its function`() {
        let text = "func f(\n    a: Int = g({ 1 })\n) throws\n    -> Int\n{\n    1\n}\nfunc g() {}"
        let sample = file(text)
        let functions = Rule.functions(sample, CodeText.lines(of: sample))
        #expect(functions.map(\.first) == [1, 8])
        #expect(functions.map(\.lines) == [7, 1])
    }

    @Test func `unsafe words are found outside the fence only`() {
        let text = "unsafe f()\nstruct A: @unchecked Sendable {}\nwithUnsafeBytes { }\n// unsafe"
        #expect(found(Rule.unsafeWords, text) == [1, 2])
        #expect(found(Rule.unsafeWords, text, path: "Sources/Kernel/A.swift").isEmpty)
    }

    @Test func `imports of effects are found in pure targets`() {
        let text = "import Glibc\ninternal import Foundation\nimport YAML\nimport Synchronization"
        #expect(found(Rule.imports, text) == [1, 2, 4])
        #expect(found(Rule.imports, text, path: "Sources/Kernel/A.swift") == [2])
    }

    @Test func `swallowed failures need a reason`() {
        let text = "try? f()\n// Gone already: nothing to close.\ntry? f()\ntry! f()\nfatalError()"
        #expect(found(Rule.bannedCode, text) == [1, 4, 5])
        #expect(found(Rule.bannedCode, "Task { }\nlet t: Task<A, B>") == [1])
    }

    @Test func `an undocumented public declaration is found`() {
        let text = """
            public struct A {
                /// Yes.
                @inlinable
                public var a: Int
                public init() {}
            }
            public extension A {}
            public import B
            """
        #expect(found(Rule.documentation, text) == [1, 5])
    }

    @Test func `long lines, long files and unfinished words are found`() {
        let long = String(repeating: "é", count: 101)
        #expect(Rule.columns(file("\(long)\n\(long.dropLast())")).map(\.line) == [1])
        let lines = Array(repeating: "", count: 502).joined(separator: "\n")
        #expect(Rule.fileLength(file(lines)).count == 1)
        #expect(Rule.unfinishedWords(file("// TO" + "DO: a\nmktemp aXXXXX")).map(\.line) == [1])
    }
}
