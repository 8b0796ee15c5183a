public import JSONRPC

/// Params that name one connection or one run card.
public struct NameParams: ControlValue {
    /// The name.
    public var name: String

    /// Names a connection or card.
    public init(name: String) {
        self.name = name
    }

    /// Reads `{name}`.
    public init(json: JSON) throws(ControlError) {
        let fields = try Fields(json, in: "params")
        try fields.allowOnly(["name"])
        name = try fields.string("name")
    }

    /// The params as they are sent.
    public var json: JSON { ["name": .string(name)] }
}
