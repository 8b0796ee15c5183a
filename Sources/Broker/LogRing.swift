internal import Control

/// The last lines that a server, or an installation, wrote to its standard error.
///
/// Lines are text from outside: they are made safe to print when they are taken in.
struct LogRing {
    private var lines: [String] = []
    private var first = 0
    private var bytes = 0
    /// The beginning of a line whose end has not come yet.
    private var partial: [UInt8] = []
    private var isCut = false

    /// Takes what was written, line by line: a tool that floods its errors must not hold up the
    /// loop that serves everybody else.
    mutating func append(_ chunk: some Collection<UInt8>) {
        var rest = chunk[...]
        while let end = rest.firstIndex(of: 0x0A) {
            extend(rest[..<end])
            endLine()
            rest = rest[end...].dropFirst()
        }
        extend(rest)
    }

    private mutating func extend(_ part: some Collection<UInt8>) {
        let room = Limit.logLineBytes - partial.count
        partial.append(contentsOf: part.prefix(room))
        if part.count > room { isCut = true }
    }

    /// Takes the end of the output: an unfinished line is one.
    mutating func finish() {
        if !partial.isEmpty { endLine() }
    }

    /// The newest lines, oldest first.
    func tail(_ count: Int) -> [String] {
        Array(lines[max(first, lines.count - count)...])
    }

    private mutating func endLine() {
        if partial.last == 0x0D { partial.removeLast() }
        let text = sanitized(String(decoding: partial, as: UTF8.self)) + (isCut ? " …" : "")
        partial.removeAll(keepingCapacity: true)
        isCut = false
        lines.append(text)
        bytes += text.utf8.count
        while lines.count - first > Limit.logLines || bytes > Limit.logBytes {
            bytes -= lines[first].utf8.count
            lines[first] = ""
            first += 1
        }
        // The emptied slots go away together, so that one line costs no shifting of all others.
        if first > Limit.logLines {
            lines.removeFirst(first)
            first = 0
        }
    }
}
