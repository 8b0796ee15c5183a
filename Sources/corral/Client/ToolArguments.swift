internal import Control
internal import JSONRPC

/// The arguments of a call, made from the words typed.
enum ToolArguments {
    /// Reads a JSON object.
    static func parse(_ text: [UInt8], tool: String) throws(CommandFailure) -> JSON {
        let value: JSON
        do {
            value = try JSON.parse(text)
        } catch {
            throw CommandFailure(
                .usage, "cannot call '\(tool)': arguments: \(error)",
                hint: #"give one JSON object in quotes, '{"name": "value"}', or name=value words"#)
        }
        guard value.objectValue != nil else {
            throw CommandFailure(
                .usage, "cannot call '\(tool)': arguments: expected a JSON object",
                hint: #"'{"name": "value"}', or name=value words"#)
        }
        return value
    }

    /// Makes an object of `name=value` words, each value typed by the tool's input schema.
    static func typed(
        _ words: [String], schema: JSON?, tool: String
    ) throws(CommandFailure) -> JSON {
        var arguments: JSONObject = [:]
        for word in words {
            guard let sign = word.firstIndex(of: "="), sign > word.startIndex else {
                throw CommandFailure(
                    .usage, "cannot call '\(tool)': '\(word)' is not of the form name=value",
                    hint: "or give all arguments as one JSON object in quotes")
            }
            let name = String(word[..<sign])
            let text = String(word[word.index(after: sign)...])
            guard arguments[name] == nil else {
                throw CommandFailure(.usage, "cannot call '\(tool)': '\(name)' is given twice")
            }
            let types = types(schema?["properties"]?[name])
            guard let value = value(text, types) else {
                let wanted = types.sorted().joined(separator: " or ")
                throw CommandFailure(
                    .usage, "cannot call '\(tool)': '\(name)' must be \(wanted), not '\(text)'")
            }
            arguments[name] = value
        }
        return .object(arguments)
    }

    /// The types that a schema takes; empty when it does not simply say.
    private static func types(_ schema: JSON?) -> Set<String> {
        if let type = schema?["type"]?.stringValue { return [type] }
        if let types = schema?["type"]?.arrayValue { return Set(types.compactMap(\.stringValue)) }
        let choices = schema?["anyOf"]?.arrayValue ?? schema?["oneOf"]?.arrayValue ?? []
        return choices.reduce(into: []) { types, choice in
            if let type = choice["type"]?.stringValue { types.insert(type) }
        }
    }

    /// The value that a text stands for, or nil when it is of none of the types.
    ///
    /// Where text is welcome it stays text; where the schema is silent, what reads as JSON is JSON.
    private static func value(_ text: String, _ types: Set<String>) -> JSON? {
        if types.contains("string") { return .string(text) }
        let parsed: JSON
        do {
            parsed = try JSON.parse(Array(text.utf8))
        } catch {
            guard types.isEmpty else { return nil }
            return .string(text)
        }
        guard types.isEmpty || types.contains(where: { fits(parsed, $0) }) else { return nil }
        return parsed
    }

    private static func fits(_ value: JSON, _ type: String) -> Bool {
        switch (value, type) {
        case (.null, "null"), (.bool, "boolean"), (.number, "number"), (.array, "array"),
            (.object, "object"):
            true
        case (.number, "integer"): value.intValue != nil
        default: false
        }
    }
}
