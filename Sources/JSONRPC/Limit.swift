/// What the strict reader refuses, and why that much.
public enum Limit {
    /// How deep values may be nested: deep enough for every schema seen, shallow enough that
    /// building a tree by recursion fits any thread's stack.
    public static let depth = 128
    /// The longest line in bytes, without its line feed: the limit of MCP's TypeScript SDK.
    public static let lineBytes = 10 << 20
    /// How much room an empty line buffer keeps: enough for every ordinary message.
    static let keptBytes = 256 << 10
    /// How much of a line over the limit is kept: what stands before its long value.
    public static let headBytes = 256
    /// The longest method name in bytes: thrice the longest that MCP has.
    public static let methodBytes = 128
    /// The most members of an envelope, of its params, of their `_meta` and of a result.
    public static let members = 64
    /// The longest request id that is a string, in bytes between its quotes.
    public static let idBytes = 256
    /// The largest magnitude of an integer id: beyond it servers that read doubles corrupt it.
    public static let idMagnitude = 1 << 53
    /// The most members of an object whose names are compared one by one; more go into a set.
    static let linearNames = 16
}
