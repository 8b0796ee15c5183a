/// Blanks out comments and the insides of string literals, keeping every line and column.
///
/// Enough of a lexer for counting braces and looking for words: it knows `//`, nested `/* */`,
/// strings, raw strings, multi-line strings and C character literals; an interpolation counts as
/// part of its string.
struct CodeText {
    private enum State: Equatable {
        case code
        case lineComment
        case blockComment(depth: Int)
        case string(quote: String, hashes: Int)
    }

    private static let newline = UInt8(ascii: "\n")
    private static let space = UInt8(ascii: " ")

    private let source: [UInt8]
    private let isSwift: Bool
    private var index = 0
    private var state = State.code
    private var output: [UInt8] = []

    private init(_ text: String, isSwift: Bool) {
        source = Array(text.utf8)
        self.isSwift = isSwift
    }

    /// The file's lines with only code left in them.
    static func lines(of file: SourceFile) -> [String] {
        var text = CodeText(file.lines.joined(separator: "\n"), isSwift: file.isSwift)
        text.run()
        return String(decoding: text.output, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        )
        .map(String.init)
    }

    private mutating func run() {
        while index < source.count {
            switch state {
            case .code: code()
            case .lineComment: lineComment()
            case .blockComment(let depth): blockComment(depth)
            case .string(let quote, let hashes): string(quote, hashes)
            }
        }
    }

    private func sees(_ word: String, at offset: Int = 0) -> Bool {
        var at = index + offset
        for byte in word.utf8 {
            guard at < source.count, source[at] == byte else { return false }
            at += 1
        }
        return true
    }

    private mutating func blank(_ count: Int) {
        for _ in 0..<count where index < source.count {
            output.append(source[index] == Self.newline ? Self.newline : Self.space)
            index += 1
        }
    }

    private mutating func code() {
        if sees("//") {
            state = .lineComment
        } else if sees("/*") {
            state = .blockComment(depth: 1)
            blank(2)
        } else if !opensString() {
            output.append(source[index])
            index += 1
        }
    }

    private mutating func opensString() -> Bool {
        if !isSwift, sees("'") {
            state = .string(quote: "'", hashes: 0)
            blank(1)
            return true
        }
        var hashes = 0
        while isSwift, sees("#", at: hashes) { hashes += 1 }
        guard sees("\"", at: hashes) else { return false }
        let isLong = isSwift && sees("\"\"\"", at: hashes)
        let quote = isLong ? "\"\"\"" : "\""
        state = .string(quote: quote, hashes: hashes)
        blank(hashes + quote.utf8.count)
        return true
    }

    private mutating func lineComment() {
        if source[index] == Self.newline { state = .code }
        blank(1)
    }

    private mutating func blockComment(_ depth: Int) {
        if sees("*/") {
            blank(2)
            state = depth == 1 ? .code : .blockComment(depth: depth - 1)
        } else if isSwift, sees("/*") {
            blank(2)
            state = .blockComment(depth: depth + 1)
        } else {
            blank(1)
        }
    }

    private mutating func string(_ quote: String, _ hashes: Int) {
        let end = quote + String(repeating: "#", count: hashes)
        if sees(end) {
            blank(end.utf8.count)
            state = .code
        } else if hashes == 0, sees("\\(") {
            let outer = state
            interpolation()
            state = outer
        } else if hashes == 0, sees("\\") {
            blank(2)
        } else {
            blank(1)
        }
    }

    /// Skips `\( … )` with strings nested in it.
    private mutating func interpolation() {
        blank(2)
        var depth = 1
        while index < source.count, depth > 0 {
            if opensString() {
                guard case .string(let quote, let hashes) = state else { return }
                let opened = state
                while index < source.count, state == opened { string(quote, hashes) }
                continue
            }
            if sees("(") { depth += 1 }
            if sees(")") { depth -= 1 }
            blank(1)
        }
    }
}
