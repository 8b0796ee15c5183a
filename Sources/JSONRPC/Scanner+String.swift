extension Scanner {
    /// Passes a string whose opening quote is at the cursor: UTF-8 by the Unicode Standard's
    /// table 3-7, no control characters, escapes of RFC 8259 only, surrogates in pairs only.
    @inline(__always)
    static func string(_ bytes: Span<UInt8>, _ cursor: inout Cursor) throws(JSONError) -> Text {
        let start = cursor.at + 1
        let at = Words.endOfPlain(bytes, from: start)
        if at < bytes.count, bytes[at] == UInt8(ascii: "\"") {
            cursor.at = at + 1
            return Text(range: start..<at, isEscaped: false)
        }
        return try rareString(bytes, &cursor, from: start, at: at)
    }

    /// Goes on with a string at its first byte that is not plain ASCII.
    private static func rareString(
        _ bytes: Span<UInt8>, _ cursor: inout Cursor, from start: Int, at first: Int
    ) throws(JSONError) -> Text {
        var at = first
        var isEscaped = false
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                cursor.at = at + 1
                return Text(range: start..<at, isEscaped: isEscaped)
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
                try escape(bytes, &at)
            } else if byte >= 0x80 {
                try multibyte(bytes, &at)
            } else if byte >= 0x20 {
                at = Words.endOfPlain(bytes, from: at)
            } else {
                throw JSONError(.controlCharacter, at: at)
            }
        }
        throw JSONError(.unexpectedEnd, at: at)
    }

    /// Passes one scalar of two to four bytes.
    private static func multibyte(_ bytes: Span<UInt8>, _ at: inout Int) throws(JSONError) {
        let lead = bytes[at]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw JSONError(.badUTF8, at: at)
        }
        guard at + length <= bytes.count else { throw JSONError(.badUTF8, at: at) }
        guard second.contains(bytes[at + 1]) else { throw JSONError(.badUTF8, at: at) }
        for index in at + 2..<max(at + 2, at + length) where bytes[index] & 0xC0 != 0x80 {
            throw JSONError(.badUTF8, at: at)
        }
        at += length
    }

    /// Passes one escape sequence, or two when they are a surrogate pair.
    private static func escape(_ bytes: Span<UInt8>, _ at: inout Int) throws(JSONError) {
        guard at + 1 < bytes.count else { throw JSONError(.unexpectedEnd, at: at) }
        switch bytes[at + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 2
        case UInt8(ascii: "u"):
            _ = try unicode(bytes, &at)
        default:
            throw JSONError(.badEscape, at: at)
        }
    }

    /// Passes a `\u` sequence, or two of them, and gives the scalar they stand for.
    static func unicode(
        _ bytes: Span<UInt8>, _ at: inout Int
    ) throws(JSONError) -> Unicode.Scalar {
        let start = at
        let unit = try codeUnit(bytes, &at)
        guard UTF16.isLeadSurrogate(unit) else {
            // A lone trailing half is the only unit that is no scalar by now.
            guard let scalar = Unicode.Scalar(unit) else {
                throw JSONError(.loneSurrogate, at: start)
            }
            return scalar
        }
        guard at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"),
            bytes[at + 1] == UInt8(ascii: "u")
        else { throw JSONError(.loneSurrogate, at: start) }
        let low = try codeUnit(bytes, &at)
        guard UTF16.isTrailSurrogate(low),
            let scalar = Unicode.Scalar(
                0x10000 + (UInt32(unit) - 0xD800) << 10 + UInt32(low) - 0xDC00)
        else { throw JSONError(.loneSurrogate, at: start) }
        return scalar
    }

    /// Passes the six bytes `\uXXXX`.
    private static func codeUnit(
        _ bytes: Span<UInt8>, _ at: inout Int
    ) throws(JSONError) -> UInt16 {
        guard at + 6 <= bytes.count else { throw JSONError(.unexpectedEnd, at: at) }
        var unit: UInt16 = 0
        for index in at + 2..<at + 6 {
            let digit: UInt8
            switch bytes[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = bytes[index] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                digit = bytes[index] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"):
                digit = bytes[index] - UInt8(ascii: "A") + 10
            default: throw JSONError(.badEscape, at: at)
            }
            unit = unit << 4 | UInt16(digit)
        }
        at += 6
        return unit
    }
}
