/// Any JSON value, as a tree: for messages that are decided on, never for the bytes of a tool call.
public enum JSON: Sendable, Equatable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number as it was written: no digit is lost.
    case number(String)
    /// A string with its escapes resolved.
    case string(String)
    /// Values in order.
    case array([JSON])
    /// Named values in order, each name once.
    case object(JSONObject)
}

extension JSON {
    /// A whole number.
    public static func integer(_ value: Int) -> JSON { .number(String(value)) }

    /// The text of a string.
    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The value of a number that is written as a whole number (`1e3` is not) and fits.
    public var intValue: Int? {
        if case .number(let literal) = self { Int(literal) } else { nil }
    }

    /// The value of a Boolean.
    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The elements of an array.
    public var arrayValue: [JSON]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members of an object.
    public var objectValue: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// A member of an object; nil when it is missing or this is no object.
    ///
    /// Setting a member on something else than an object makes it an object.
    public subscript(_ name: String) -> JSON? {
        get { objectValue?[name] }
        set {
            var object = objectValue ?? [:]
            // The tree lets go first, so that the members are changed in place.
            self = .null
            object[name] = newValue
            self = .object(object)
        }
    }
}

extension JSON: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByNilLiteral
{
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A Boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An array.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// An object; of a name that occurs twice the last value counts.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(JSONObject(elements.map { (name: $0.0, value: $0.1) }))
    }
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
}
