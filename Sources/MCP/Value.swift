internal import JSONRPC

/// Reads small values whose bytes an envelope has checked already.
enum Value {
    /// A string's text; nil when the value is no string.
    static func string(_ bytes: [UInt8], _ range: Range<Int>) -> String? {
        guard bytes[range.lowerBound] == UInt8(ascii: "\"") else { return nil }
        let inner = range.lowerBound + 1..<range.upperBound - 1
        if !bytes[inner].contains(UInt8(ascii: "\\")) {
            return String(decoding: bytes[inner], as: UTF8.self)
        }
        return tree(bytes, range)?.stringValue
    }

    /// Whether a value is `null`.
    static func isNull(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        bytes[range.lowerBound] == UInt8(ascii: "n")
    }

    /// Whether a value is `true`.
    static func isTrue(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        bytes[range.lowerBound] == UInt8(ascii: "t")
    }

    /// Whether a value is a number.
    static func isNumber(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        let first = bytes[range.lowerBound]
        return first == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    }

    /// The value as a tree; nil when an object deep in it has a name twice.
    static func tree(_ bytes: [UInt8], _ range: Range<Int>) -> JSON? {
        do throws(JSONError) { return try JSON.parse(bytes, in: range) } catch { return nil }
    }
}
