/// Writes fields in order; everything little-endian.
struct ByteWriter {
    var bytes: [UInt8] = [0, 0, 0, 0]  // the length, filled in at the end

    mutating func put(_ value: UInt8) { bytes.append(value) }

    mutating func put<Number: FixedWidthInteger>(_ value: Number) {
        for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func put(_ value: Bool) { put(value ? 1 as UInt8 : 0) }

    mutating func put(_ value: String) {
        put(UInt32(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    mutating func put<Element>(_ list: [Element], _ body: (inout Self, Element) -> Void) {
        put(UInt32(list.count))
        for element in list { body(&self, element) }
    }

    /// The finished message, or nil when it is beyond the limit.
    consuming func finish() -> [UInt8]? {
        let length = UInt32(bytes.count - 4)
        for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
        return bytes.count <= Limit.messageBytes ? bytes : nil
    }
}

/// Reads fields in order; every length is checked before it is used.
struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0

    /// Starts reading a whole datagram, whose length field must tell the truth.
    init(_ datagram: [UInt8]) throws(DecodingError) {
        guard datagram.count <= Limit.messageBytes else { throw .tooLong }
        bytes = datagram
        let length = Int(try number(UInt32.self))
        guard length == datagram.count - 4 else { throw .wrongLength }
    }

    mutating func number<Number: FixedWidthInteger>(
        _: Number.Type = Number.self
    ) throws(DecodingError) -> Number {
        let size = Number.bitWidth / 8
        guard bytes.count - position >= size else { throw .cutShort }
        var value: Number = 0
        for index in 0..<size {
            value |= Number(truncatingIfNeeded: bytes[position + index]) << (8 * index)
        }
        position += size
        return value
    }

    mutating func bool() throws(DecodingError) -> Bool {
        switch try number(UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw .badValue
        }
    }

    mutating func string() throws(DecodingError) -> String {
        let length = Int(try number(UInt32.self))
        guard length <= Limit.stringBytes else { throw .tooLong }
        guard bytes.count - position >= length else { throw .cutShort }
        let part = bytes[position..<position + length]
        position += length
        // A NUL would cut the string short wherever it meets a C interface.
        guard !part.contains(0), let text = String(validating: part, as: UTF8.self) else {
            throw .badText
        }
        return text
    }

    mutating func list<Element>(
        _ body: (inout Self) throws(DecodingError) -> Element
    ) throws(DecodingError) -> [Element] {
        let count = Int(try number(UInt32.self))
        guard count <= Limit.listCount else { throw .tooLong }
        var elements: [Element] = []
        for _ in 0..<count { elements.append(try body(&self)) }
        return elements
    }

    /// Nothing may follow the last field.
    func end() throws(DecodingError) {
        guard position == bytes.count else { throw .wrongLength }
    }
}

/// Why a datagram is no message; the receiver closes the conversation.
public enum DecodingError: Error, Sendable, Equatable {
    /// A field runs past the end.
    case cutShort
    /// The length field or the number of bytes after the last field is wrong.
    case wrongLength
    /// A message, string or list is over its limit.
    case tooLong
    /// A string is not UTF-8 or holds a NUL.
    case badText
    /// An enumeration or Boolean has a value that does not exist.
    case badValue
    /// The tag is unknown.
    case unknownTag
}
