public import JSONRPC

/// A value that travels in a `corral/…` message and knows its own JSON.
public protocol ControlValue: Sendable, Equatable {
    /// Reads the value, refusing a missing, mistyped or (in params) unknown member.
    init(json: JSON) throws(ControlError)
    /// The value as it is sent.
    var json: JSON { get }
}

/// One `corral/…` method: its name, what is asked and what is answered.
public protocol ControlMethod {
    /// What the request carries in `params`.
    associatedtype Params: ControlValue
    /// What the response carries in `result`.
    associatedtype Result: ControlValue
    /// The method's name in the request.
    static var method: String { get }
}

/// Params or a result without members.
public struct Empty: ControlValue {
    /// Makes the one value there is.
    public init() {}

    /// Accepts an object whose only members are `_meta` and what MCP adds to results.
    public init(json: JSON) throws(ControlError) {
        try Fields(json, in: "params").allowOnly([])
    }

    /// An object without members.
    public var json: JSON { .object([:]) }
}
