/// The members of one object of a message: where its known names' values lie, and the rest.
public struct Members: Sendable {
    /// A member: its name and where its value lies.
    public struct Member: Sendable {
        /// The known key, or nil for any other name.
        public let key: Key?
        /// Where the name's bytes lie between its quotes, as it was written.
        public let name: Range<Int>
        /// Where the value's bytes lie.
        public let value: Range<Int>

        /// The same member in other bytes.
        public func moved(name: Range<Int>, value: Range<Int>) -> Member {
            Member(key: key, name: name, value: value)
        }
    }

    /// The members in order.
    public private(set) var list: [Member] = []
    /// Where the whole object lies, braces included.
    public private(set) var range: Range<Int>

    /// Where a known member's value lies.
    public subscript(_ key: Key) -> Range<Int>? {
        for member in list where member.key == key { return member.value }
        return nil
    }

    /// What is wrong with an object's names.
    enum Problem: Sendable {
        case duplicate(String)
        case caseVariant(String, of: String)
        case tooMany
    }

    /// Starts at an object whose brace is at `start`.
    init(at start: Int) { range = start..<start }

    /// Ends the object before `end`.
    mutating func close(at end: Int) { range = range.lowerBound..<end }

    /// Takes a member whose name was passed.
    mutating func append(key: Key?, name: Scanner.Text, value: Range<Int>) {
        list.append(Member(key: key, name: name.range, value: value))
    }

    /// Finds the key of a name, and whether it may stand beside the names so far.
    func check(
        _ name: Scanner.Text, in bytes: [UInt8], at level: Level
    ) -> (key: Key?, problem: Problem?) {
        guard list.count < Limit.members else { return (nil, .tooMany) }
        if !name.isEscaped, let key = Key.exact(bytes.span, name.range), level.knows(key) {
            guard self[key] == nil else { return (key, .duplicate(key.spelling)) }
            return (key, nil)
        }
        return checkRare(name.unescaped(from: bytes), in: bytes, at: level)
    }

    /// Checks a name that is not written as a known one.
    private func checkRare(
        _ name: [UInt8], in bytes: [UInt8], at level: Level
    ) -> (key: Key?, problem: Problem?) {
        var key = Key.exact(name.span, 0..<name.count)
        if let found = key, !level.knows(found) { key = nil }
        let text = String(decoding: name, as: UTF8.self)
        if let key { return (key, self[key] == nil ? nil : .duplicate(text)) }
        let folded = CaseFolding.folded(name)
        if level.refusesCaseVariants, let known = CaseFolding.key(folded, at: level) {
            return (nil, .caseVariant(text, of: known.spelling))
        }
        for member in list where member.key == nil {
            let other = Scanner.Text(range: member.name, isEscaped: true).unescaped(from: bytes)
            if other == name { return (nil, .duplicate(text)) }
            if level.refusesCaseVariants, CaseFolding.folded(other) == folded {
                return (nil, .caseVariant(text, of: String(decoding: other, as: UTF8.self)))
            }
        }
        return (nil, nil)
    }
}
