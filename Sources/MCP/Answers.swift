public import JSONRPC

/// What the broker answers clients about itself, in both eras.
public enum Answers {
    /// How long clients may keep a list, in milliseconds: none, because every register, remove and
    /// change of policy changes it.
    static let listTTL = 0

    /// The answer to `server/discover`.
    public static func discover() -> JSON {
        [
            "resultType": "complete",
            "supportedVersions": [.string(ProtocolVersion.modern)],
            "capabilities": [
                "tools": ["listChanged": true], "prompts": ["listChanged": true],
                "resources": ["listChanged": true, "subscribe": true], "completions": [:],
                "logging": [:], "extensions": [controlExtension: [:]],
            ],
            "ttlMs": 0, "cacheScope": "private",
            "_meta": [Key.metaServerInfo.spelling: serverInfo],
        ]
    }

    /// The answer to `initialize`.
    public static func initialize(version: String) -> JSON {
        var capabilities: JSON = [
            "tools": ["listChanged": true], "prompts": ["listChanged": true],
            "resources": ["listChanged": true, "subscribe": true], "logging": [:],
            "experimental": [controlExtension: [:]],
        ]
        // The oldest revision completes as well, but has no word for it.
        if version != ProtocolVersion.legacy.last { capabilities["completions"] = [:] }
        return [
            "protocolVersion": .string(version), "capabilities": capabilities,
            "serverInfo": serverInfo,
        ]
    }

    /// Writes one page of a list.
    public static func list(
        _ id: RequestID, _ era: Era, _ kind: ListKind, entries: [Catalog.Entry],
        nextCursor: String?, into out: inout LineWriter
    ) {
        out.beginResult(id)
        out.text("{\"\(kind.member)\":[")
        for (index, entry) in entries.enumerated() {
            if index > 0 { out.text(",") }
            entry.write(for: era, into: &out)
        }
        out.text("]")
        if let nextCursor {
            out.text(",\"nextCursor\":")
            out.string(nextCursor)
        }
        if era == .modern {
            out.text(",\"resultType\":\"complete\",\"ttlMs\":")
            out.integer(listTTL)
            out.text(",\"cacheScope\":\"private\"")
        }
        out.text("}")
        out.endResponse()
    }

    /// The answer to `completion/complete` where nothing can be completed.
    public static func noCompletions(_ era: Era) -> JSON {
        var result: JSON = ["completion": ["values": []]]
        if era == .modern { result["resultType"] = "complete" }
        return result
    }

    /// The extension under which the `corral/…` methods are advertised.
    public static let controlExtension = "dev.corral/control"

    private static let serverInfo: JSON = [
        "name": "corral", "version": .string(Software.version),
    ]
}
