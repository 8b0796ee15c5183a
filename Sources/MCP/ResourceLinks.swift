public import JSONRPC

/// Puts the connection's part before the URIs that a result tells, so that a client which follows
/// one comes back to the same server. Every other byte stays.
public enum ResourceLinks {
    /// A result's message with its URIs as clients see them; nil when there is none to change.
    public static func exposed(
        _ message: Envelope, _ bytes: [UInt8], of kind: ClientCall.Kind, connection: String
    ) -> (message: Envelope, bytes: [UInt8])? {
        guard message.namesURIs, let content = message.resultMembers?[kind.content] else {
            return nil
        }
        let found: [Range<Int>] =
            switch kind {
            case .completion: []
            case .resource: Parts.elements(bytes, content).compactMap { uri(bytes, $0) }
            case .tool: Parts.elements(bytes, content).compactMap { ofBlock(bytes, $0) }
            case .prompt:
                Parts.elements(bytes, content).flatMap { message in
                    Parts.member("content", bytes, message).map { ofContent(bytes, $0) } ?? []
                }
            }
        guard !found.isEmpty else { return nil }
        var out = LineWriter()
        var done = message.line.lowerBound
        for range in found {
            guard let own = Value.string(bytes, range) else { continue }
            out.splice(bytes, done..<range.lowerBound, hasReturns: false)
            out.string(ResourceURI.exposed(connection: connection, own: own))
            done = range.upperBound
        }
        out.splice(bytes, done..<message.line.upperBound, hasReturns: false)
        do throws(EnvelopeError) {
            return (try Envelope.parse(out.bytes, in: 0..<out.bytes.count), out.bytes)
        } catch {
            return nil
        }
    }

    /// A prompt's content: one block, or in some servers a list of them.
    private static func ofContent(_ bytes: [UInt8], _ range: Range<Int>) -> [Range<Int>] {
        guard bytes[range.lowerBound] == UInt8(ascii: "[") else {
            return ofBlock(bytes, range).map { [$0] } ?? []
        }
        return Parts.elements(bytes, range).compactMap { ofBlock(bytes, $0) }
    }

    /// The URI of a content block that links a resource or holds one.
    private static func ofBlock(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int>? {
        guard let type = Parts.member("type", bytes, range) else { return nil }
        switch Value.string(bytes, type) {
        case "resource_link": return uri(bytes, range)
        case "resource":
            return Parts.member("resource", bytes, range).flatMap { uri(bytes, $0) }
        default: return nil
        }
    }

    private static func uri(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int>? {
        Parts.member("uri", bytes, range).flatMap {
            Value.string(bytes, $0) == nil ? nil : $0
        }
    }
}
