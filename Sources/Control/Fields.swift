internal import JSONRPC

/// The members of one object of a message, read by name and type with the path kept for errors.
struct Fields {
    private let object: JSONObject
    private let path: String

    /// Takes the members of `json`, which `path` names in errors.
    init(_ json: JSON, in path: String) throws(ControlError) {
        guard let object = json.objectValue else {
            throw ControlError(path: path, problem: "expected an object")
        }
        self.object = object
        self.path = path
    }

    /// Refuses members that are not in `names`; `_meta` and `resultType` belong to MCP and pass.
    func allowOnly(_ names: [String]) throws(ControlError) {
        for member in object.members
        where !names.contains(member.name) && member.name != "_meta" && member.name != "resultType"
        {
            throw error(member.name, "unknown member")
        }
    }

    /// An error about the member `name`.
    func error(_ name: String, _ problem: String) -> ControlError {
        ControlError(path: "\(path).\(name)", problem: problem)
    }

    /// The member, with null read as absent.
    private func value(_ name: String) -> JSON? {
        let value = object[name]
        return value == .null ? nil : value
    }

    private func required<Value>(_ value: Value?, _ name: String) throws(ControlError) -> Value {
        guard let value else { throw error(name, "missing") }
        return value
    }

    func optionalString(_ name: String) throws(ControlError) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.stringValue else { throw error(name, "expected a string") }
        return text
    }

    func string(_ name: String) throws(ControlError) -> String {
        try required(try optionalString(name), name)
    }

    func optionalInteger(_ name: String) throws(ControlError) -> Int? {
        guard let value = value(name) else { return nil }
        guard let number = value.intValue else { throw error(name, "expected an integer") }
        return number
    }

    func integer(_ name: String) throws(ControlError) -> Int {
        try required(try optionalInteger(name), name)
    }

    func bool(_ name: String) throws(ControlError) -> Bool {
        guard let value = value(name) else { throw error(name, "missing") }
        guard let flag = value.boolValue else { throw error(name, "expected true or false") }
        return flag
    }

    func optionalArray(_ name: String) throws(ControlError) -> [JSON]? {
        guard let value = value(name) else { return nil }
        guard let array = value.arrayValue else { throw error(name, "expected an array") }
        return array
    }

    /// A required array of strings.
    func strings(_ name: String) throws(ControlError) -> [String] {
        var texts: [String] = []
        for element in try required(try optionalArray(name), name) {
            guard let text = element.stringValue else {
                throw error(name, "expected an array of strings")
            }
            texts.append(text)
        }
        return texts
    }

    /// A required array of values of one type.
    func values<Value: ControlValue>(
        _ name: String, as type: Value.Type
    ) throws(ControlError) -> [Value] {
        var values: [Value] = []
        for element in try required(try optionalArray(name), name) {
            values.append(try Value(json: element))
        }
        return values
    }

    /// An array of values of one type; an absent one has none.
    func optionalValues<Value: ControlValue>(
        _ name: String, as type: Value.Type
    ) throws(ControlError) -> [Value] {
        try value(name) == nil ? [] : values(name, as: type)
    }

    /// A required value of one type.
    func value<Value: ControlValue>(
        _ name: String, as type: Value.Type
    ) throws(ControlError) -> Value {
        try Value(json: try required(value(name), name))
    }

    /// A value of one type; nil when it is absent.
    func optionalValue<Value: ControlValue>(
        _ name: String, as type: Value.Type
    ) throws(ControlError) -> Value? {
        guard let value = value(name) else { return nil }
        return try Value(json: value)
    }

    /// An array of strings; an absent one has none.
    func optionalStrings(_ name: String) throws(ControlError) -> [String] {
        try value(name) == nil ? [] : strings(name)
    }

    /// A required string out of a closed set.
    func choice<Value: RawRepresentable & CaseIterable>(
        _ name: String, of type: Value.Type
    ) throws(ControlError) -> Value where Value.RawValue == String {
        guard let value = Value(rawValue: try string(name)) else {
            let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw error(name, "expected one of \(known)")
        }
        return value
    }

    /// The object's members as pairs; an absent object has none.
    func members(_ name: String) throws(ControlError) -> [(name: String, value: JSON)] {
        guard let value = value(name) else { return [] }
        guard let object = value.objectValue else { throw error(name, "expected an object") }
        return object.members
    }
}
