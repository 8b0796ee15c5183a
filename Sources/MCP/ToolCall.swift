public import JSONRPC

/// One `tools/call` of a client: what is decided on, and where the rest lies.
public struct ToolCall: Sendable {
    /// The client's id for it.
    public var id: RequestID
    /// The era it was asked in, and must be answered in.
    public var era: Era
    /// The name as the client wrote it.
    public var name: String
    /// What the client wants progress reported under.
    public var progressToken: RequestID?
    /// The bytes that the ranges below lie in.
    var source: [UInt8]
    /// The arguments, an object; nil when it has none.
    var arguments: Range<Int>?
    /// Members of `_meta` that are nobody's but the client's and the server's.
    var meta: [Members.Member]
    /// Whether carriage returns in these ranges have to be replaced.
    var hasReturns: Bool

    /// A copy that holds its own bytes only, to be kept until a server has started.
    public func detached() -> ToolCall {
        var copy = self
        var bytes: [UInt8] = []
        func move(_ range: Range<Int>) -> Range<Int> {
            let start = bytes.count
            bytes.append(contentsOf: source[range])
            return start..<bytes.count
        }
        copy.arguments = arguments.map(move)
        copy.meta = meta.map { $0.moved(name: move($0.name), value: move($0.value)) }
        copy.source = bytes
        return copy
    }

    /// How many bytes it keeps while it waits.
    public var waitingBytes: Int {
        (arguments?.count ?? 0) + meta.reduce(0) { $0 + $1.name.count + $1.value.count }
    }
}
