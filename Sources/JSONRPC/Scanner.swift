/// The one strict scanner of RFC 8259 that everything here reads with.
///
/// Functions take the bytes and a cursor, check every byte they pass, and build nothing: a tree
/// (`JSON`), an envelope (`Envelope`) or a mere verdict are made from the ranges they return.
enum Scanner {
    /// Where the scanner stands, and whether it passed a carriage return.
    struct Cursor {
        /// The next byte's offset.
        var at: Int
        /// Whether whitespace held a carriage return: inside a valid value it is nothing else, and
        /// some servers read it as the end of the line.
        var sawReturn = false
        /// Whether some object had a member `uri`.
        var sawURI = false
    }

    /// A string's bytes between its quotes.
    struct Text: Sendable, Equatable {
        var range: Range<Int>
        /// Whether a backslash occurs in it.
        var isEscaped: Bool
    }

    /// Passes whitespace.
    @inline(__always)
    static func whitespace(_ bytes: Span<UInt8>, _ cursor: inout Cursor) {
        while cursor.at < bytes.count {
            switch bytes[cursor.at] {
            case 0x20, 0x09, 0x0A: break
            case 0x0D: cursor.sawReturn = true
            default: return
            }
            cursor.at += 1
        }
    }

    /// The next byte after whitespace, not passed.
    @inline(__always)
    static func peek(
        _ bytes: Span<UInt8>, _ cursor: inout Cursor
    ) throws(JSONError) -> UInt8 {
        whitespace(bytes, &cursor)
        guard cursor.at < bytes.count else { throw JSONError(.unexpectedEnd, at: cursor.at) }
        return bytes[cursor.at]
    }

    /// Passes one byte that must come next after whitespace.
    @inline(__always)
    static func expect(
        _ byte: UInt8, _ bytes: Span<UInt8>, _ cursor: inout Cursor
    ) throws(JSONError) {
        guard try peek(bytes, &cursor) == byte else {
            throw JSONError(.unexpectedByte, at: cursor.at)
        }
        cursor.at += 1
    }

    /// Passes whitespace up to the end of the bytes.
    static func end(_ bytes: Span<UInt8>, _ cursor: inout Cursor) throws(JSONError) {
        whitespace(bytes, &cursor)
        guard cursor.at == bytes.count else { throw JSONError(.trailingBytes, at: cursor.at) }
    }

    /// Passes a member's name and its colon.
    @inline(__always)
    static func name(_ bytes: Span<UInt8>, _ cursor: inout Cursor) throws(JSONError) -> Text {
        guard try peek(bytes, &cursor) == UInt8(ascii: "\"") else {
            throw JSONError(.unexpectedByte, at: cursor.at)
        }
        let name = try string(bytes, &cursor)
        if name.range.count == 3, bytes[name.range.lowerBound] == UInt8(ascii: "u"),
            bytes[name.range.lowerBound + 1] == UInt8(ascii: "r"),
            bytes[name.range.lowerBound + 2] == UInt8(ascii: "i")
        {
            cursor.sawURI = true
        }
        try expect(UInt8(ascii: ":"), bytes, &cursor)
        return name
    }

    /// Passes any scalar that starts at the cursor; containers are the caller's.
    @inline(__always)
    static func scalar(_ bytes: Span<UInt8>, _ cursor: inout Cursor) throws(JSONError) {
        switch bytes[cursor.at] {
        case UInt8(ascii: "\""): _ = try string(bytes, &cursor)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try number(bytes, &cursor)
        case UInt8(ascii: "t"): try literal("true", bytes, &cursor)
        case UInt8(ascii: "f"): try literal("false", bytes, &cursor)
        case UInt8(ascii: "n"): try literal("null", bytes, &cursor)
        default: throw JSONError(.unexpectedByte, at: cursor.at)
        }
    }

    /// Passes one of the three literals.
    static func literal(
        _ word: StaticString, _ bytes: Span<UInt8>, _ cursor: inout Cursor
    ) throws(JSONError) {
        for scalar in word.description.utf8 {
            guard cursor.at < bytes.count else { throw JSONError(.unexpectedEnd, at: cursor.at) }
            guard bytes[cursor.at] == scalar else {
                throw JSONError(.unexpectedByte, at: cursor.at)
            }
            cursor.at += 1
        }
    }

    /// Passes a number.
    static func number(_ bytes: Span<UInt8>, _ cursor: inout Cursor) throws(JSONError) {
        if bytes[cursor.at] == UInt8(ascii: "-") { cursor.at += 1 }
        if cursor.at < bytes.count, bytes[cursor.at] == UInt8(ascii: "0") {
            cursor.at += 1
        } else {
            try digits(bytes, &cursor)
        }
        if cursor.at < bytes.count, bytes[cursor.at] == UInt8(ascii: ".") {
            cursor.at += 1
            try digits(bytes, &cursor)
        }
        guard cursor.at < bytes.count, bytes[cursor.at] | 0x20 == UInt8(ascii: "e") else { return }
        cursor.at += 1
        if cursor.at < bytes.count,
            bytes[cursor.at] == UInt8(ascii: "+") || bytes[cursor.at] == UInt8(ascii: "-")
        {
            cursor.at += 1
        }
        try digits(bytes, &cursor)
    }

    /// Passes one or more digits.
    private static func digits(
        _ bytes: Span<UInt8>, _ cursor: inout Cursor
    ) throws(JSONError) {
        let start = cursor.at
        while cursor.at < bytes.count, bytes[cursor.at] &- UInt8(ascii: "0") < 10 { cursor.at += 1 }
        guard cursor.at > start else { throw JSONError(.badNumber, at: cursor.at) }
    }
}
