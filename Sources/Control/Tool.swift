public import JSONRPC

/// A tool as connections list it: its own name and what its server says about it.
public struct Tool: ControlValue {
    /// The name as clients call it: `connection__tool`.
    public var name: String
    /// The title for people, if the server gives one.
    public var title: String?
    /// What the server says it does; text from outside.
    public var description: String?

    /// Makes a tool's description.
    public init(name: String, title: String? = nil, description: String? = nil) {
        self.name = name
        self.title = title
        self.description = description
    }

    /// Reads a tool; members it does not know (schemas, annotations) are passed over.
    public init(json: JSON) throws(ControlError) {
        let fields = try Fields(json, in: "tool")
        self.init(
            name: try fields.string("name"), title: try fields.optionalString("title"),
            description: try fields.optionalString("description"))
    }

    /// The tool as it is sent.
    public var json: JSON {
        var object: JSONObject = ["name": .string(name)]
        object["title"] = title.map(JSON.string)
        object["description"] = description.map(JSON.string)
        return .object(object)
    }
}
