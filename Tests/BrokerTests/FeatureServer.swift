import JSONRPC
import SupervisorProtocol

/// A server with something of everything, in either era.
struct FeatureServer {
    let era: String
    /// Answers what it does not know itself; an ending ends the server.
    var more: (FakeServer, JSON) throws -> Ending? = { server, message in
        if message["id"] != nil { server.refuse(message, -32601, "Method not found") }
        return nil
    }
    var capabilities: JSON = [
        "tools": [:], "prompts": [:], "resources": [:], "completions": [:],
    ]

    /// A legacy server's script.
    static func legacy(_ server: FakeServer, _ start: FakeServer.Start) throws -> Ending {
        try FeatureServer(era: "legacy").serve(server)
    }

    /// A modern server's script.
    static func modern(_ server: FakeServer, _ start: FakeServer.Start) throws -> Ending {
        try FeatureServer(era: "modern").serve(server)
    }

    /// Serves to the end of input; a method that is excepted is one that it does not know itself.
    func serve(_ server: FakeServer, except: String = "") throws -> Ending {
        while let message = try server.message() {
            if message["method"]?.stringValue != except, let result = result(of: message) {
                server.answer(message, result)
            } else if let end = try more(server, message) {
                return end
            }
        }
        return server.ending()
    }

    private var isModern: Bool { era == "modern" }

    private func result(of message: JSON) -> JSON? {
        let params = message["params"]
        switch message["method"]?.stringValue {
        case "server/discover" where isModern:
            return listed(["supportedVersions": ["2026-07-28"], "capabilities": capabilities])
        case "initialize":
            return [
                "protocolVersion": .string(FakeServer.revision), "capabilities": capabilities,
                "serverInfo": ["name": "features", "version": "1"],
            ]
        case "ping" where !isModern: return [:]
        case "tools/list": return listed(["tools": FakeServer.definitions(["echo"])])
        case "prompts/list":
            return listed([
                "prompts": [
                    ["name": "greet", "arguments": [["name": "who", "required": true]]],
                    ["name": "über prompt", "description": "with a name that is none"],
                ]
            ])
        case "resources/list":
            guard params?["cursor"] != nil else {
                return listed([
                    "resources": [["uri": "memo://b?x=1#y", "name": "b"]], "nextCursor": "2",
                ])
            }
            return listed(["resources": [["uri": "file:///a/b", "name": "a"]]])
        case "resources/templates/list":
            return listed(["resourceTemplates": [["uriTemplate": "memo://{id}", "name": "t"]]])
        case "prompts/get":
            let link: JSON = ["type": "resource_link", "uri": "memo://link", "name": "l"]
            return whole([
                "messages": [
                    [
                        "role": "user",
                        "content": ["type": "text", "text": .string(params?.text ?? "")],
                    ],
                    ["role": "user", "content": link],
                ]
            ])
        case "resources/read":
            guard let uri = params?["uri"], uri != "memo://none" else { return nil }
            return listed(["contents": [["uri": uri, "text": "1.50"]]])
        case "completion/complete":
            return whole(["completion": ["values": [.string(params?.text ?? "")]]])
        default: return nil
        }
    }

    private func whole(_ result: JSON) -> JSON {
        guard isModern else { return result }
        var result = result
        result["resultType"] = "complete"
        return result
    }

    private func listed(_ result: JSON) -> JSON {
        guard isModern else { return result }
        var result = whole(result)
        result["ttlMs"] = 0
        result["cacheScope"] = "private"
        return result
    }
}
