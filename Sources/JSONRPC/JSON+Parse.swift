extension JSON {
    /// Reads exactly one value: RFC 8259 to the letter, valid UTF-8, no name twice in an object,
    /// nested at most `Limit.depth` deep.
    public static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSON {
        try parse(bytes, in: 0..<bytes.count)
    }

    /// Reads exactly one value out of a part of `bytes`; offsets in errors count from the whole's
    /// start.
    public static func parse(
        _ bytes: [UInt8], in range: Range<Int>
    ) throws(JSONError) -> JSON {
        let span = bytes.span.extracting(first: range.upperBound)
        var cursor = Scanner.Cursor(at: range.lowerBound)
        let value = try Tree(bytes: bytes).value(span, &cursor, depth: 0)
        try Scanner.end(span, &cursor)
        return value
    }
}

/// Builds values from what the scanner passes; recursion ends at `Limit.depth`.
private struct Tree {
    /// The same bytes as the span that its functions take, for text to be copied from.
    let bytes: [UInt8]

    /// Builds the value at the cursor.
    func value(
        _ span: Span<UInt8>, _ cursor: inout Scanner.Cursor, depth: Int
    ) throws(JSONError) -> JSON {
        let first = try Scanner.peek(span, &cursor)
        let start = cursor.at
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth < Limit.depth else { throw JSONError(.tooDeep, at: cursor.at) }
            return first == UInt8(ascii: "[")
                ? .array(try array(span, &cursor, depth: depth + 1))
                : .object(try object(span, &cursor, depth: depth + 1))
        case UInt8(ascii: "\""):
            return .string(try Scanner.string(span, &cursor).decoded(from: bytes))
        default:
            try Scanner.scalar(span, &cursor)
        }
        switch first {
        case UInt8(ascii: "t"): return .bool(true)
        case UInt8(ascii: "f"): return .bool(false)
        case UInt8(ascii: "n"): return .null
        default: return .number(String(decoding: bytes[start..<cursor.at], as: UTF8.self))
        }
    }

    /// Builds the array at the cursor.
    private func array(
        _ span: Span<UInt8>, _ cursor: inout Scanner.Cursor, depth: Int
    ) throws(JSONError) -> [JSON] {
        var elements: [JSON] = []
        cursor.at += 1
        if try Scanner.peek(span, &cursor) == UInt8(ascii: "]") {
            cursor.at += 1
            return elements
        }
        while true {
            elements.append(try value(span, &cursor, depth: depth))
            guard try Scanner.peek(span, &cursor) == UInt8(ascii: ",") else { break }
            cursor.at += 1
        }
        try Scanner.expect(UInt8(ascii: "]"), span, &cursor)
        return elements
    }

    /// Builds the object at the cursor.
    private func object(
        _ span: Span<UInt8>, _ cursor: inout Scanner.Cursor, depth: Int
    ) throws(JSONError) -> JSONObject {
        var members: [(name: String, value: JSON)] = []
        var names = Names()
        cursor.at += 1
        if try Scanner.peek(span, &cursor) == UInt8(ascii: "}") {
            cursor.at += 1
            return JSONObject(distinct: members)
        }
        while true {
            let start = cursor.at
            let name = try Scanner.name(span, &cursor).decoded(from: bytes)
            guard names.insert(name, beside: members) else {
                throw JSONError(.duplicateName, at: start)
            }
            members.append((name: name, value: try value(span, &cursor, depth: depth)))
            guard try Scanner.peek(span, &cursor) == UInt8(ascii: ",") else { break }
            cursor.at += 1
        }
        try Scanner.expect(UInt8(ascii: "}"), span, &cursor)
        return JSONObject(distinct: members)
    }
}

/// The names an object has so far: compared one by one while they are few, in a set beyond, so
/// that a hostile object with a million names costs no million squared.
private struct Names {
    private var set: Set<[UInt8]> = []

    /// Adds a name unless it is there already.
    mutating func insert(_ name: String, beside members: [(name: String, value: JSON)]) -> Bool {
        guard members.count >= Limit.linearNames else {
            return !members.contains { JSONObject.same($0.name, name) }
        }
        if set.isEmpty { for member in members { set.insert(Array(member.name.utf8)) } }
        return set.insert(Array(name.utf8)).inserted
    }
}

extension Scanner.Text {
    /// What the string stands for; `bytes` are those it was scanned in.
    func decoded(from bytes: [UInt8]) -> String {
        guard isEscaped else { return String(decoding: bytes[range], as: UTF8.self) }
        return String(decoding: unescaped(from: bytes), as: UTF8.self)
    }

    /// The UTF-8 that the string stands for.
    func unescaped(from bytes: [UInt8]) -> [UInt8] {
        guard isEscaped else { return Array(bytes[range]) }
        var out: [UInt8] = []
        out.reserveCapacity(range.count)
        var at = range.lowerBound
        while at < range.upperBound {
            guard bytes[at] == UInt8(ascii: "\\") else {
                out.append(bytes[at])
                at += 1
                continue
            }
            let kind = bytes[at + 1]
            if kind == UInt8(ascii: "u") {
                // The scanner refused what could throw here.
                guard let scalar = Scanner.scalarValue(bytes.span, &at) else { return out }
                out.append(contentsOf: String(scalar).utf8)
            } else {
                out.append(Scanner.plain(kind))
                at += 2
            }
        }
        return out
    }
}

extension Scanner {
    /// The scalar of a `\u` sequence that was checked before; nil never follows a check.
    fileprivate static func scalarValue(
        _ bytes: Span<UInt8>, _ at: inout Int
    ) -> Unicode.Scalar? {
        do { return try unicode(bytes, &at) } catch { return nil }
    }

    /// The byte that a one-letter escape stands for.
    fileprivate static func plain(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }
}
