/// One place that breaks a rule.
struct Violation: Equatable, CustomStringConvertible {
    var path: String
    var line: Int
    var message: String
    var description: String { "\(path):\(line): \(message)" }
}

/// The rules of the house, each a pure function from a file to its violations.
enum Rule {
    static let fileLinesMax = 500
    static let functionLinesMax = 70
    static let columnsMax = 100

    /// Where the words of memory unsafety may stand: behind these fences the kernel, SQLite and
    /// libyaml are called.
    static let unsafeTargets: Set = ["Kernel", "Store", "Sandbox", "YAML"]
    /// Targets that take values and give values.
    static let pureTargets: Set = [
        "YAML", "Policy", "RunCards", "JSONRPC", "MCP", "Control", "SupervisorProtocol",
        "NetworkRules", "Wire",
    ]
    /// What a pure target must not reach: a clock, a disk, a socket, a lock.
    static let effects: Set = [
        "Glibc", "Foundation", "FoundationEssentials", "Dispatch", "Kernel", "CKernel", "Sandbox",
        "Store", "NIOCore", "NIOPosix", "Logging", "Synchronization",
    ]

    /// Words that may not stand in code, with what to write instead.
    static let bannedWords: [String: String] = [
        "fatalError": "throw, or `preconditionFailure` when only a bug gets there",
        "DispatchQueue": "NIO's event loops in the broker, one epoll thread elsewhere",
        "usleep": "wait for the event itself",
    ]
    static let unfinished = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]

    static func fileLength(_ file: SourceFile) -> [Violation] {
        guard file.lines.count > fileLinesMax + 1 else { return [] }
        let message = "\(file.lines.count) lines, at most \(fileLinesMax): one file, one thing"
        return [Violation(path: file.path, line: file.lines.count, message: message)]
    }

    /// A message on the wire is clearer unbroken, so a test's string literal may be long.
    static func columns(_ file: SourceFile) -> [Violation] {
        let mayQuote = file.isSwift && file.path.hasPrefix("Tests/")
        return violations(in: file.lines, of: file) { line in
            guard line.count > columnsMax, !(mayQuote && line.contains("\"")) else { return nil }
            return "\(line.count) columns, at most \(columnsMax)"
        }
    }

    static func unfinishedWords(_ file: SourceFile) -> [Violation] {
        violations(in: file.lines, of: file) { line in
            let words = words(of: line)
            return unfinished.first { words.contains($0) }.map { "unfinished: \($0)" }
        }
    }

    /// `fatalError` and its like, and the two that need a reason beside them.
    static func bannedCode(_ file: SourceFile, _ code: [String]) -> [Violation] {
        guard file.isSwift else { return [] }
        var found: [Violation] = []
        for (index, line) in code.enumerated() {
            let words = words(of: line)
            for (word, instead) in bannedWords where words.contains(word) {
                let message = "\(word) is banned: \(instead)"
                found.append(Violation(path: file.path, line: index + 1, message: message))
            }
            if line.contains("try!") {
                let message = "try! is banned: throw, or handle it"
                found.append(Violation(path: file.path, line: index + 1, message: message))
            }
            let swallows = line.contains("try?") || hasBareTask(line)
            if swallows, !hasReason(file, index) {
                let message = "try? and a bare Task need a comment that says why it is right here"
                found.append(Violation(path: file.path, line: index + 1, message: message))
            }
        }
        return found
    }

    static func unsafeWords(_ file: SourceFile, _ code: [String]) -> [Violation] {
        guard file.isSwift, !unsafeTargets.contains(file.target) else { return [] }
        return violations(in: code, of: file) { line in
            let words = words(of: line)
            guard words.contains("unsafe") || words.contains("unchecked") else { return nil }
            return "unsafe code belongs in \(unsafeTargets.sorted().joined(separator: ", "))"
        }
    }

    static func imports(_ file: SourceFile, _ code: [String]) -> [Violation] {
        guard file.isSwift else { return [] }
        return violations(in: code, of: file) { line in
            let words = words(of: line)
            guard let at = words.firstIndex(of: "import"), let name = words[after: at] else {
                return nil
            }
            if name.hasPrefix("Foundation") { return "nothing here imports \(name)" }
            if pureTargets.contains(file.target), effects.contains(name) {
                return "\(file.target) is pure and may not import \(name)"
            }
            return nil
        }
    }

    /// Every `public` declaration carries a sentence.
    static func documentation(_ file: SourceFile, _ code: [String]) -> [Violation] {
        guard file.isSwift else { return [] }
        var found: [Violation] = []
        for (index, line) in code.enumerated() {
            let words = words(of: line)
            guard words.contains("public"), !words.contains("import"), words.first != "extension",
                !words.starts(with: ["public", "extension"]), !isDocumented(file, index)
            else { continue }
            let message = "a public declaration needs a sentence (///)"
            found.append(Violation(path: file.path, line: index + 1, message: message))
        }
        return found
    }

    /// Functions, initialisers and C functions that are too long, by counting braces.
    static func functionLength(_ file: SourceFile, _ code: [String]) -> [Violation] {
        functions(file, code).filter { $0.lines > functionLinesMax }.map {
            let message = "a function of \($0.lines) lines, at most \(functionLinesMax)"
            return Violation(path: file.path, line: $0.first, message: message)
        }
    }

    /// Where each function begins (1-based) and how many lines it has, signature included.
    static func functions(
        _ file: SourceFile, _ code: [String]
    ) -> [(first: Int, lines: Int)] {
        var found: [(first: Int, lines: Int)] = []
        for (index, line) in code.enumerated() where beginsFunction(line, isSwift: file.isSwift) {
            if let last = lastLine(of: code, from: index) {
                found.append((index + 1, last - index + 1))
            }
        }
        return found
    }
}

extension Rule {
    private static func beginsFunction(_ line: String, isSwift: Bool) -> Bool {
        let words = words(of: line)
        if isSwift {
            let heads: Set = ["func", "init", "deinit", "subscript"]
            guard let head = words.first(where: { heads.contains($0) }) else { return false }
            return !line.contains(".\(head)")
        }
        // In C a definition starts in the first column and names its parameters.
        guard let first = line.first, first.isLetter || first == "_" else { return false }
        return line.contains("(") && !line.contains(";") && words.first != "typedef"
    }

    /// The line of the brace that closes what the line opens; nil for a declaration without body.
    private static func lastLine(of code: [String], from start: Int) -> Int? {
        var braces = 0
        var parentheses = 0
        var opened = false
        for index in start..<min(code.count, start + 1000) {
            for character in code[index].utf8 {
                switch character {
                case UInt8(ascii: "("): parentheses += 1
                case UInt8(ascii: ")"): parentheses -= 1
                case UInt8(ascii: "{") where parentheses == 0 || opened:
                    braces += 1
                    opened = true
                case UInt8(ascii: "}") where opened:
                    braces -= 1
                    if braces == 0 { return index }
                case UInt8(ascii: "}") where parentheses == 0: return nil
                case UInt8(ascii: ";") where !opened: return nil
                default: break
                }
            }
            // A protocol's requirement ends with its line; the body of a function does not start
            // on a later one, except after a wrapped signature.
            if !opened, parentheses == 0, !continues(code, after: index) { return nil }
        }
        return nil
    }

    private static func continues(_ code: [String], after index: Int) -> Bool {
        guard index + 1 < code.count else { return false }
        let next = words(of: code[index + 1]).first ?? ""
        let trimmed = code[index + 1].drop { $0 == " " }
        return trimmed.first == "{" || trimmed.hasPrefix("->") || trimmed.hasPrefix(")")
            || ["throws", "async", "where"].contains(next) || code[index].hasSuffix("->")
            || code[index].hasSuffix(",")
    }

    private static func hasBareTask(_ line: String) -> Bool {
        line.contains("Task {") || line.contains("Task.detached")
    }

    private static func hasReason(_ file: SourceFile, _ index: Int) -> Bool {
        let here = file.lines[index].contains("//")
        let above = index > 0 && file.lines[index - 1].drop { $0 == " " }.hasPrefix("//")
        return here || above
    }

    private static func isDocumented(_ file: SourceFile, _ index: Int) -> Bool {
        var above = index - 1
        while above >= 0 {
            let line = file.lines[above].drop { $0 == " " }
            if line.hasPrefix("///") { return true }
            guard line.hasPrefix("@") || line.hasPrefix("// ") else { return false }
            above -= 1
        }
        return false
    }

    private static func violations(
        in lines: [String], of file: SourceFile, _ judge: (String) -> String?
    ) -> [Violation] {
        lines.enumerated().compactMap { index, line in
            judge(line).map { Violation(path: file.path, line: index + 1, message: $0) }
        }
    }

    static func words(of line: String) -> [String] {
        line.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
    }
}

extension [String] {
    /// The element after an index, if there is one.
    fileprivate subscript(after index: Int) -> String? {
        index + 1 < count ? self[index + 1] : nil
    }
}
