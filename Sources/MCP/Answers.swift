public import JSONRPC

/// What the broker answers clients about itself, in both eras.
public enum Answers {
    /// How long clients may keep a list of tools, in milliseconds: none, because every register,
    /// remove and change of policy changes it and nothing tells them yet.
    static let toolsTTL = 0

    /// The answer to `server/discover`.
    public static func discover() -> JSON {
        [
            "resultType": "complete",
            "supportedVersions": [.string(ProtocolVersion.modern)],
            "capabilities": [
                "tools": [:], "extensions": [controlExtension: [:]],
            ],
            "ttlMs": 0, "cacheScope": "private",
            "_meta": [Key.metaServerInfo.spelling: serverInfo],
        ]
    }

    /// The answer to `initialize`.
    public static func initialize(version: String) -> JSON {
        [
            "protocolVersion": .string(version),
            "capabilities": [
                "tools": [:], "experimental": [controlExtension: [:]],
            ],
            "serverInfo": serverInfo,
        ]
    }

    /// Writes the answer to `tools/list` around entries that `body` writes.
    public static func tools(
        _ id: RequestID, _ era: Era, entries: [ToolCatalog.Entry], nextCursor: String?,
        into out: inout LineWriter
    ) {
        out.beginResult(id)
        out.text("{\"tools\":[")
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
            out.integer(toolsTTL)
            out.text(",\"cacheScope\":\"private\"")
        }
        out.text("}")
        out.endResponse()
    }

    /// The extension under which the `corral/…` methods are advertised.
    public static let controlExtension = "dev.corral/control"

    private static let serverInfo: JSON = [
        "name": "corral", "version": .string(Software.version),
    ]
}
