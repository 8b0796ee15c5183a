import JSONRPC
import SupervisorProtocol
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct FeatureTests {
    private let scripts: [String: FakeServer.Script] = [
        "old": FeatureServer.legacy, "new": FeatureServer.modern,
    ]

    /// Asks in both eras and gives both answers.
    private func both(
        _ client: TestClient, _ method: String, _ params: JSON = [:]
    ) throws -> [JSON] {
        [
            try client.request(method, params),
            try client.request(method, TestClient.modern(params)),
        ]
    }

    private func names(_ answer: JSON, _ list: String, _ key: String) -> [String] {
        answer["result"]?[list]?.arrayValue?.compactMap { $0[key]?.stringValue } ?? []
    }

    @Test func `prompts and resources of all connections are listed in both eras`() throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["old", "new"])
            try client.initialize()
            for answer in try both(client, "prompts/list") {
                let prompts = names(answer, "prompts", "name")
                #expect(
                    prompts
                        == ["new__greet", "new____ber_prompt", "old__greet", "old____ber_prompt"]
                        .sorted(), "\(prompts)")
            }
            for answer in try both(client, "resources/list") {
                #expect(
                    names(answer, "resources", "uri") == [
                        "corral://new/file:///a/b", "corral://new/memo://b?x=1#y",
                        "corral://old/file:///a/b", "corral://old/memo://b?x=1#y",
                    ])
            }
            for answer in try both(client, "resources/templates/list") {
                #expect(
                    names(answer, "resourceTemplates", "uriTemplate") == [
                        "corral://new/memo://{id}", "corral://old/memo://{id}",
                    ])
            }
        }
    }

    @Test func `what servers answer beside tools goes and comes in every mixture of eras`() throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["old", "new"])
            try client.initialize()
            for name in ["old", "new"] {
                let uri: JSON = "corral://\(name)/memo://x%20y"
                for answer in try both(client, "resources/read", ["uri": uri]) {
                    let contents = answer["result"]?["contents"]
                    #expect(contents == [["uri": uri, "text": "1.50"]], "\(answer.text)")
                }
                let get: JSON = ["name": "\(name)__greet", "arguments": ["who": "you"]]
                for answer in try both(client, "prompts/get", get) {
                    let messages = answer["result"]?["messages"]?.arrayValue
                    let text = messages?.first?["content"]?["text"]?.stringValue ?? ""
                    #expect(
                        text.hasPrefix(#"{"name":"greet","arguments":{"who":"you"}"#), "\(text)")
                    #expect(
                        messages?.last?["content"]?["uri"]?.stringValue
                            == "corral://\(name)/memo://link")
                }
            }
        }
    }

    @Test(arguments: [
        (#"{"type":"ref/prompt","name":"C__greet"}"#, #"{"type":"ref/prompt","name":"greet"}"#),
        (
            #"{"type":"ref/resource","uri":"corral://C/memo://{id}"}"#,
            #"{"type":"ref/resource","uri":"memo://{id}"}"#
        ),
    ])
    func `completions reach the server with its own names`(ref: String, own: String) throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["old", "new"])
            try client.initialize()
            for name in ["old", "new"] {
                let ref = try JSON.parse(
                    Array(ref.split(separator: "C").joined(separator: name).utf8))
                let argument: JSON = ["name": "who", "value": "x"]
                for answer in try both(
                    client, "completion/complete",
                    ["ref": ref, "argument": argument, "context": ["arguments": ["a": "b"]]])
                {
                    let told = answer["result"]?["completion"]?["values"]?.arrayValue?.first
                    let asked = try JSON.parse(Array((told?.stringValue ?? "").utf8))
                    #expect(asked["ref"]?.text == own)
                    #expect(asked["argument"] == argument)
                    #expect(asked["context"] == ["arguments": ["a": "b"]])
                }
            }
        }
    }

    @Test func `what is not there is answered by its code and reaches no server`() throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["old"])
            try client.initialize()
            for uri in ["memo://b", "corral://new/memo://b", "corral://old/", "corral:///x", ""] {
                let answers = try both(client, "resources/read", ["uri": .string(uri)])
                #expect(answers.map { $0["error"]?["code"] } == [-32002, -32602], "\(uri)")
            }
            // The server has no such resource: its own code, as each era has it.
            let none = try both(client, "resources/read", ["uri": "corral://old/memo://none"])
            #expect(none.map { $0["error"]?["code"] } == [-32601, -32601])
            for name in ["greet", "old__nothing", "new__greet"] {
                let answers = try both(client, "prompts/get", ["name": .string(name)])
                #expect(answers.map { $0["error"]?["code"] } == [-32602, -32602])
            }
            for params in [["uri": 7], [:], ["uri": nil]] as [JSON] {
                let answer = try client.request("resources/read", params)
                #expect(answer["error"]?["code"] == -32602)
            }
            for cursor in ["x", "__", "corral://"] {
                let answer = try client.request("resources/list", ["cursor": .string(cursor)])
                #expect(answer["error"]?["code"] == -32602)
            }
        }
    }

    @Test func `a rule on tools opens nothing beside them`() throws {
        let access = """
            allow:
              - {users: ['*'], cards: [old], tools: [echo]}
              - {users: ['*'], cards: [new]}
            """
        try Harness.run(scripts, access: access) { harness in
            let client = try harness.client(connecting: ["old", "new"])
            let prompts = try client.request("prompts/list", TestClient.modern())
            #expect(names(prompts, "prompts", "name") == ["new____ber_prompt", "new__greet"])
            let resources = try client.request("resources/list", TestClient.modern())
            #expect(
                names(resources, "resources", "uri").allSatisfy { $0.hasPrefix("corral://new/") })
            for (method, params) in [
                ("prompts/get", ["name": "old__greet"]),
                ("resources/read", ["uri": "corral://old/memo://b"]),
                (
                    "completion/complete",
                    [
                        "ref": ["type": "ref/prompt", "name": "old__greet"],
                        "argument": ["name": "who", "value": ""],
                    ]
                ),
            ] as [(String, JSON)] {
                let error = try client.request(method, TestClient.modern(params))["error"]
                #expect(error?["code"] == 1001, "\(method): \(error?.text ?? "")")
            }
        }
    }

    @Test func `a restricted session sees one connection's`() throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["old", "new"])
            _ = try client.request("corral/session/restrict", ["connection": "old"])
            let prompts = try client.request("prompts/list", TestClient.modern())
            #expect(names(prompts, "prompts", "name").allSatisfy { $0.hasPrefix("old__") })
            let read = try client.request(
                "resources/read", TestClient.modern(["uri": "corral://new/memo://b"]))
            #expect(read["error"]?["code"] == -32602)
        }
    }

    @Test func `lists are there after a restart without a start`() throws {
        try Harness.inDirectory { directory in
            try Harness.run(scripts, in: directory) { harness in
                _ = try harness.client(connecting: ["old"])
            }
            try Harness.run(scripts, in: directory) { harness in
                let client = try harness.client()
                try client.initialize()
                for (method, list) in [
                    ("prompts/list", "prompts"), ("resources/list", "resources"),
                    ("resources/templates/list", "resourceTemplates"),
                ] {
                    let answer = try client.request(method)
                    #expect(answer["result"]?[list]?.arrayValue?.isEmpty == false)
                }
                #expect(harness.supervisor.starts(of: "old") == 0)
            }
        }
    }

    @Test func `long lists come in pages, each entry once and in order`() throws {
        let scripts: [String: FakeServer.Script] = [
            "many": { server, _ in
                try FeatureServer(
                    era: "legacy",
                    more: { server, message in
                        let all = (0..<1_200).map { number -> JSON in
                            ["uri": "n:\(number)", "name": "n"]
                        }
                        server.answer(message, ["resources": .array(all)])
                        return nil
                    }, capabilities: ["tools": [:], "resources": [:]]
                ).serve(server, except: "resources/list")
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["many"])
            var seen: [String] = []
            var params: JSON = [:]
            for _ in 0..<5 {
                let answer = try client.request("resources/list", TestClient.modern(params))
                seen += names(answer, "resources", "uri")
                guard let cursor = answer["result"]?["nextCursor"] else { break }
                params["cursor"] = cursor
            }
            #expect(seen.count == 1_200)
            #expect(seen == seen.sorted())
            #expect(Set(seen).count == 1_200)
        }
    }

    @Test func `a list that cannot be used is empty and named in the log`() throws {
        let scripts: [String: FakeServer.Script] = [
            "odd": { server, _ in
                try FeatureServer(era: "legacy").serve(server, except: "prompts/list")
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["odd"])
            let answer = try client.request("prompts/list", TestClient.modern())
            #expect(answer["result"]?["prompts"] == [])
            let logs = try client.request("corral/connections/logs", ["name": "odd"])
            #expect(
                logs["result"]?["lines"]?.text.contains("refused prompts/list") == true,
                "\(logs.text)")
        }
    }

    @Test func `capabilities are those that answer`() throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["old"])
            let discovered = try client.request("server/discover", TestClient.modern())
            let modern = discovered["result"]?["capabilities"]?.objectValue?.members.map(\.name)
            #expect(
                modern == [
                    "tools", "prompts", "resources", "completions", "logging", "extensions",
                ])
            for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
                let client = try harness.client()
                try client.initialize(revision)
                for method in ["tools/list", "prompts/list", "resources/list"] {
                    #expect(try client.request(method)["result"] != nil)
                }
            }
        }
    }

    @Test func `a server that completes nothing is not asked`() throws {
        let scripts: [String: FakeServer.Script] = [
            "mute": { server, _ in
                try FeatureServer(era: "modern", capabilities: ["prompts": [:]])
                    .serve(server, except: "completion/complete")
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["mute"])
            let answer = try client.request(
                "completion/complete",
                TestClient.modern([
                    "ref": ["type": "ref/prompt", "name": "mute__greet"],
                    "argument": ["name": "who", "value": ""],
                ]))
            #expect(answer["result"]?["completion"] == ["values": []])
        }
    }
}
