/// Splits a stream of bytes into lines at line feeds, without ever looking at a byte twice.
///
/// Lines are given as ranges of `bytes`, valid until the next `append`, so that a message is parsed
/// and spliced where it arrived. A line over the limit is reported once and passed over.
public struct LineFramer: Sendable {
    /// What comes next in the stream.
    public enum Line: Sendable, Equatable {
        /// A line, without its line feed and a carriage return before it, never blank.
        case line(Range<Int>)
        /// A line that is longer than the limit; its bytes are gone.
        case tooLong
    }

    /// What has arrived and was not passed yet.
    public private(set) var bytes: [UInt8] = []
    private let limit: Int
    /// The offset of the line that comes next.
    private var start = 0
    /// How far there is no line feed.
    private var scanned = 0
    /// How the last line that was too long began, to tell what it answered.
    public private(set) var skippedHead: [UInt8] = []

    /// Gives that beginning, and forgets it.
    public mutating func takeHead() -> [UInt8] {
        defer { skippedHead = [] }
        return skippedHead
    }

    /// Whether the rest of a line over the limit is still to come.
    private var isSkipping = false

    /// How many bytes of such a line are kept.
    private let headLimit: Int

    /// Makes a framer that passes over lines of more than `limit` bytes and keeps the first `head`
    /// of each, until there is another.
    public init(limit: Int = Limit.lineBytes, head: Int = Limit.headBytes) {
        self.limit = limit
        headLimit = head
    }

    /// How many bytes of an unfinished line wait.
    public var pendingBytes: Int { bytes.count - start }

    /// Takes what arrived; ranges given before are void.
    public mutating func append(_ chunk: some Collection<UInt8>) {
        if start == bytes.count {
            // A buffer that one giant line has blown up is not kept.
            bytes.removeAll(keepingCapacity: bytes.capacity <= Limit.keptBytes)
        } else if start > 0 {
            bytes.removeSubrange(..<start)
        }
        scanned -= start
        start = 0
        bytes.append(contentsOf: chunk)
    }

    /// The next whole line; nil when more bytes are needed.
    public mutating func next() -> Line? {
        while let end = lineFeed() {
            let range = trimmed(start..<end)
            start = end + 1
            scanned = start
            if isSkipping {
                isSkipping = false
                continue
            }
            guard range.count <= limit else {
                skippedHead = Array(bytes[range.prefix(headLimit)])
                return .tooLong
            }
            if !isBlank(range) { return .line(range) }
        }
        return overflow()
    }

    /// Drops an unfinished line that has outgrown the limit already.
    private mutating func overflow() -> Line? {
        // One more byte may be the carriage return that does not count.
        guard pendingBytes > limit + 1 || isSkipping else { return nil }
        if !isSkipping { skippedHead = Array(bytes[start...].prefix(headLimit)) }
        bytes.removeAll(keepingCapacity: false)
        start = 0
        scanned = 0
        defer { isSkipping = true }
        return isSkipping ? nil : .tooLong
    }

    /// The offset of the next line feed.
    private mutating func lineFeed() -> Int? {
        let end = Words.lineFeed(bytes.span, from: scanned)
        scanned = end
        return end < bytes.count ? end : nil
    }

    /// A line without the carriage return before its line feed.
    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        guard let last = range.last, bytes[last] == 0x0D else { return range }
        return range.lowerBound..<last
    }

    /// Whether a line holds nothing but whitespace.
    private func isBlank(_ range: Range<Int>) -> Bool {
        range.allSatisfy { bytes[$0] == 0x20 || bytes[$0] == 0x09 || bytes[$0] == 0x0D }
    }
}
