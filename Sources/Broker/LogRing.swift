internal import Control

/// The last lines that a connection's servers and installations wrote to their standard error.
///
/// Lines are numbered from 0 for as long as the connection lives here, so that a reader can go on
/// where it was; each knows which start it belongs to, so that an error shows its own.
struct LogRing {
    private struct Line {
        let text: String
        let start: Int
    }

    private var lines: [Line] = []
    private var first = 0
    private var bytes = 0
    /// Lines that have gone from the front of `lines`.
    private var gone = 0
    /// The number of the last start; 0 is what was before the first, an installation.
    private(set) var start = 0

    /// The number of the line that comes next.
    var next: Int { gone + lines.count }

    /// What follows belongs to another start.
    mutating func begin() { start += 1 }

    /// Takes a line.
    mutating func append(_ text: String, of start: Int) {
        lines.append(Line(text: text, start: start))
        bytes += text.utf8.count
        while lines.count - first > Limit.logLines || bytes > Limit.logBytes {
            bytes -= lines[first].text.utf8.count
            lines[first] = Line(text: "", start: start)
            first += 1
        }
        // The emptied slots go away together, so that one line costs no shifting of all others.
        if first > Limit.logLines {
            lines.removeFirst(first)
            gone += first
            first = 0
        }
    }

    /// The newest lines, oldest first.
    func tail(_ count: Int) -> [String] {
        lines[max(first, lines.count - count)...].map(\.text)
    }

    /// The newest lines of one start, oldest first.
    func tail(_ count: Int, of start: Int) -> [String] {
        lines[first...].reversed().lazy.filter { $0.start == start }.prefix(count).map(\.text)
            .reversed()
    }

    /// The lines from a number on, oldest first, and how many of them are kept no more.
    func lines(from number: Int, atMost count: Int) -> (lines: [String], missed: Int) {
        let begin = min(max(number, gone + first), next)
        let missed = max(0, begin - number)
        return (lines[(begin - gone)...].prefix(count).map(\.text), missed)
    }
}

/// Makes lines of what one process writes, safe to print.
struct LogLines {
    /// The beginning of a line whose end has not come yet.
    private var partial: [UInt8] = []
    private var isCut = false

    /// Takes what was written, line by line: a tool that floods its errors must not hold up the
    /// loop that serves everybody else.
    mutating func append(_ chunk: some Collection<UInt8>, _ take: (String) -> Void) {
        var rest = chunk[...]
        while let end = rest.firstIndex(of: 0x0A) {
            extend(rest[..<end])
            take(line())
            rest = rest[end...].dropFirst()
        }
        extend(rest)
    }

    /// Takes the end of the output: an unfinished line is one.
    mutating func finish(_ take: (String) -> Void) {
        if !partial.isEmpty { take(line()) }
    }

    private mutating func extend(_ part: some Collection<UInt8>) {
        let room = Limit.logLineBytes - partial.count
        partial.append(contentsOf: part.prefix(room))
        if part.count > room { isCut = true }
    }

    private mutating func line() -> String {
        if partial.last == 0x0D { partial.removeLast() }
        let text = sanitized(String(decoding: partial, as: UTF8.self)) + (isCut ? " …" : "")
        partial.removeAll(keepingCapacity: true)
        isCut = false
        return text
    }
}
