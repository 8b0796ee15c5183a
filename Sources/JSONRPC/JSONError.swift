/// Why some bytes are not the one JSON value (RFC 8259) they should be, and where.
public struct JSONError: Error, Sendable, Equatable {
    /// What is wrong.
    public enum Reason: String, Sendable, Equatable, CaseIterable {
        /// The bytes end inside a value.
        case unexpectedEnd = "the text ends too early"
        /// A byte stands where the grammar has no place for it.
        case unexpectedByte = "unexpected character"
        /// Something follows the value.
        case trailingBytes = "something follows the value"
        /// A control character stands unescaped in a string.
        case controlCharacter = "unescaped control character in a string"
        /// A backslash is followed by something that RFC 8259 does not name.
        case badEscape = "unknown escape sequence in a string"
        /// Half of a surrogate pair stands alone.
        case loneSurrogate = "half a surrogate pair in a string"
        /// The bytes are not UTF-8.
        case badUTF8 = "the text is not UTF-8"
        /// A number breaks the grammar.
        case badNumber = "malformed number"
        /// An object has the same name twice.
        case duplicateName = "the same name twice in one object"
        /// Values are nested deeper than `Limit.depth`.
        case tooDeep = "nested too deeply"
    }

    /// What is wrong.
    public let reason: Reason
    /// The offset in bytes where it was noticed.
    public let offset: Int

    /// Makes an error.
    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

extension JSONError: CustomStringConvertible {
    /// A sentence for people: the cause and the byte.
    public var description: String { "cannot read JSON: \(reason.rawValue) at byte \(offset)" }
}
