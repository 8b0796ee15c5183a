/// The member names that decisions depend on, each with the levels of a message where it counts.
public enum Key: UInt8, Sendable, CaseIterable {
    // The envelope.
    case jsonrpc, id, method, params, result, error
    // Params.
    case name, arguments, uri, cursor, meta, requestId, reason, protocolVersion, capabilities
    case clientInfo, inputResponses, requestState, task, level, ref, argument, context
    case notifications, progressToken, progress, total, message, data, logger
    // `_meta` of modern requests.
    case metaProtocolVersion, metaClientInfo, metaClientCapabilities, metaLogLevel
    case metaSubscriptionId, metaServerInfo
    // Results and errors.
    case resultType, isError, content, structuredContent, tools, nextCursor, ttlMs, cacheScope
    case contents, messages, completion, inputRequests
    case code, supported

    /// The name as it is written in a message.
    public var spelling: String {
        switch self {
        case .meta: "_meta"
        case .metaProtocolVersion: "io.modelcontextprotocol/protocolVersion"
        case .metaClientInfo: "io.modelcontextprotocol/clientInfo"
        case .metaClientCapabilities: "io.modelcontextprotocol/clientCapabilities"
        case .metaLogLevel: "io.modelcontextprotocol/logLevel"
        case .metaSubscriptionId: "io.modelcontextprotocol/subscriptionId"
        case .metaServerInfo: "io.modelcontextprotocol/serverInfo"
        default: String(describing: self)
        }
    }
}

/// A level of a message, with the names that are known there.
struct Level: Sendable {
    /// One bit for each known key.
    let known: UInt64
    /// Whether a name that differs from a known one, or from another name, in nothing but case is
    /// refused: Go's JSON reader would take it for that one.
    let refusesCaseVariants: Bool

    private init(_ keys: [Key], refusesCaseVariants: Bool) {
        known = keys.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
        self.refusesCaseVariants = refusesCaseVariants
    }

    func knows(_ key: Key) -> Bool { known >> UInt64(key.rawValue) & 1 == 1 }

    static let envelope = Level(
        [.jsonrpc, .id, .method, .params, .result, .error], refusesCaseVariants: true)
    static let params = Level(
        [
            .name, .arguments, .uri, .cursor, .meta, .requestId, .reason, .protocolVersion,
            .capabilities, .clientInfo, .inputResponses, .requestState, .task, .level, .ref,
            .argument, .context, .notifications, .progressToken, .progress, .total, .message,
            .data, .logger,
        ], refusesCaseVariants: true)
    static let meta = Level(
        [
            .progressToken, .metaProtocolVersion, .metaClientInfo, .metaClientCapabilities,
            .metaLogLevel, .metaSubscriptionId, .metaServerInfo,
        ], refusesCaseVariants: true)
    static let result = Level(
        [
            .resultType, .isError, .content, .structuredContent, .tools, .nextCursor, .ttlMs,
            .cacheScope, .meta, .protocolVersion, .contents, .messages, .completion,
            .inputRequests, .requestState,
        ], refusesCaseVariants: false)
    static let error = Level([.code, .message, .data], refusesCaseVariants: false)
}

extension Key {
    /// The key with exactly these bytes.
    static func exact(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Key? {
        guard range.count < bySize.count else { return nil }
        for candidate in bySize[range.count] where candidate.matches(bytes, range) {
            return candidate.key
        }
        return nil
    }

    /// Every key with its bytes.
    static let spellings = Key.allCases.map { Spelling(key: $0, bytes: Array($0.spelling.utf8)) }

    /// A key and its bytes.
    struct Spelling: Sendable {
        let key: Key
        let bytes: [UInt8]

        @inline(__always)
        func matches(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
            for index in 0..<bytes.count where bytes[index] != text[range.lowerBound + index] {
                return false
            }
            return true
        }
    }

    /// The spellings by their length, so that a name is compared with two or three at most.
    private static let bySize: [[Spelling]] = {
        let longest = spellings.map(\.bytes.count).max() ?? 0
        var sizes = Array(repeating: [Spelling](), count: longest + 1)
        for spelling in spellings { sizes[spelling.bytes.count].append(spelling) }
        return sizes
    }()
}
