public import JSONRPC

/// The value of a connection's setting as it was typed; the card says what type it must have.
public enum SettingValue: Sendable, Equatable {
    /// One text: a string, an integer, a choice or a directory.
    case text(String)
    /// A command line.
    case words([String])

    /// The value as it is sent: a string, or an array of strings.
    public var json: JSON {
        switch self {
        case .text(let text): .string(text)
        case .words(let words): .array(words.map(JSON.string))
        }
    }

    /// Reads a value: a string, a number or Boolean as typed, or an array of strings.
    public init?(json: JSON) {
        switch json {
        case .string(let text): self = .text(text)
        case .number(let literal): self = .text(literal)
        case .bool(let flag): self = .text(flag ? "true" : "false")
        case .array(let elements):
            let words = elements.compactMap(\.stringValue)
            guard words.count == elements.count else { return nil }
            self = .words(words)
        case .null, .object: return nil
        }
    }
}

/// Settings as an object, sorted by name so that equal settings are equal bytes.
func encoded(_ settings: [String: SettingValue]) -> JSON {
    var object: JSONObject = [:]
    for (name, value) in settings.sorted(by: { $0.key < $1.key }) { object[name] = value.json }
    return .object(object)
}

extension Fields {
    /// An object of settings; absent means none.
    func settings(_ name: String) throws(ControlError) -> [String: SettingValue] {
        var settings: [String: SettingValue] = [:]
        for member in try members(name) {
            guard let value = SettingValue(json: member.value) else {
                throw error(name + "." + member.name, "expected a string or an array of strings")
            }
            settings[member.name] = value
        }
        return settings
    }
}
