/// A request's id: what a reply is matched by.
///
/// Integers beyond ±2^53 and fractions are not among them: servers that read numbers as doubles
/// answer with another id than they were asked with.
public enum RequestID: Sendable, Hashable {
    /// A whole number within ±2^53.
    case integer(Int)
    /// A string of at most `Limit.idBytes`.
    case string(String)
}

extension RequestID {
    /// The id as a value of a message.
    public var json: JSON {
        switch self {
        case .integer(let value): .integer(value)
        case .string(let value): .string(value)
        }
    }

    /// Reads an id, or a progress token, which has the same form; nil when it has not.
    public init?(_ json: JSON) {
        switch json {
        case .number(let literal):
            guard let value = Int(literal), value.magnitude <= Limit.idMagnitude else { return nil }
            self = .integer(value)
        case .string(let value):
            guard value.utf8.count <= Limit.idBytes else { return nil }
            self = .string(value)
        default: return nil
        }
    }

    /// Reads an id, or a progress token, that stands in a message which was parsed.
    public init?(message bytes: [UInt8], _ range: Range<Int>) {
        if let value = RequestID.smallInteger(bytes, range) {
            self = .integer(value)
            return
        }
        guard range.count <= Limit.idBytes * 6 + 2 else { return nil }
        do { self.init(try JSON.parse(bytes, in: range)) } catch { return nil }
    }

    /// Reads one to fifteen plain digits, which nearly every id consists of.
    private static func smallInteger(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
        guard range.count <= 15 else { return nil }
        var value = 0
        for index in range {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }
}
