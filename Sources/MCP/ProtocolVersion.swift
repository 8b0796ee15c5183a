/// The revisions of MCP that are spoken here, and the two eras they fall into.
public enum ProtocolVersion {
    /// The revision without a handshake: every request carries its context.
    public static let modern = "2026-07-28"
    /// The revisions with `initialize`, newest first.
    public static let legacy = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
}

/// The two eras of MCP.
public enum Era: String, Sendable, Equatable {
    /// 2026-07-28 and later: per-request `_meta`.
    case modern
    /// Up to 2025-11-25: `initialize`.
    case legacy
}

/// Error codes of JSON-RPC and MCP that are sent here.
public enum ProtocolErrorCode {
    /// The line is no JSON.
    public static let parse = -32700
    /// The JSON is no message.
    public static let invalidRequest = -32600
    /// There is no such method.
    public static let methodNotFound = -32601
    /// The params are wrong, or name something that is not there.
    public static let invalidParams = -32602
    /// A resource is not there; of the legacy era only.
    public static let resourceNotFound = -32002
    /// A server failed in a way of its own.
    public static let server = -32000
    /// The client did not declare what the server needs; of the modern era only.
    public static let missingCapability = -32021
    /// The protocol revision is not spoken here.
    public static let unsupportedVersion = -32022
}
