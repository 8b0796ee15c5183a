import JSONRPC
import SupervisorProtocol
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct AskTests {
    private static let form: JSON = [
        "message": "Which?",
        "requestedSchema": ["type": "object", "properties": ["a": ["type": "string"]]],
    ]
    private static let all: JSON = ["elicitation": [:], "sampling": [:], "roots": [:]]
    private static let accepted: JSON = ["action": "accept", "content": ["a": "x"]]

    /// A legacy server whose tool asks for what its arguments say, and answers what came back.
    private static func legacy(_ server: FakeServer, _ start: FakeServer.Start) throws -> Ending {
        try server.serveLegacy { server, call in
            let arguments = call["params"]?["arguments"]
            let request: JSON = [
                "jsonrpc": "2.0", "id": "s", "method": arguments?["ask"] ?? nil,
                "params": arguments?["params"] ?? [:],
            ]
            server.write(request.text + "\n")
            let answer = try server.message()
            let text =
                answer?["result"]?.text ?? "refused \(answer?["error"]?["code"]?.intValue ?? 0)"
            server.answer(call, ["content": [["type": "text", "text": .string(text)]]])
            return nil
        }
    }

    /// The same in the modern era.
    private static func modern(_ server: FakeServer, _ start: FakeServer.Start) throws -> Ending {
        try server.serveModern { server, call in
            let params = call["params"]
            let arguments = params?["arguments"]
            guard let inputs = params?["inputResponses"] else {
                let request: JSON = [
                    "method": arguments?["ask"] ?? nil, "params": arguments?["params"] ?? [:],
                ]
                server.answer(
                    call,
                    [
                        "resultType": "input_required", "inputRequests": ["k": request],
                        "requestState": "state \"1\"",
                    ])
                return nil
            }
            #expect(params?["requestState"] == "state \"1\"")
            let text: JSON = .string(inputs["k"]?.text ?? "nothing")
            server.answer(
                call, ["resultType": "complete", "content": [["type": "text", "text": text]]])
            return nil
        }
    }

    private let scripts: [String: FakeServer.Script] = [
        "asking-old": legacy, "asking-new": modern, "old": legacy, "new": modern,
    ]

    private func params(_ name: String, _ kind: JSON, _ form: JSON = form) -> JSON {
        ["name": .string("\(name)__echo"), "arguments": ["ask": kind, "params": form]]
    }

    private func text(_ answer: JSON) -> String? {
        answer["result"]?["content"]?.arrayValue?.first?["text"]?.stringValue
    }

    @Test(arguments: ["asking-old", "asking-new"])
    func `legacy clients are asked under the broker's ids, in either era`(name: String) throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: [name])
            try client.initialize("2025-11-25", capabilities: Self.all)
            let asks: [(JSON, JSON, JSON)] = [
                ("elicitation/create", Self.form, Self.accepted),
                ("roots/list", [:], ["roots": [["uri": "file:///a"]]]),
                (
                    "sampling/createMessage",
                    [
                        "messages": [["role": "user", "content": ["type": "text", "text": "x"]]],
                        "maxTokens": 5,
                    ],
                    [
                        "role": "assistant", "content": ["type": "text", "text": "y"], "model": "m",
                    ]
                ),
            ]
            for (kind, form, result) in asks {
                let call = try client.ask("tools/call", params(name, kind, form))
                let request = try client.receive()
                #expect(request["method"] == kind)
                if kind == "elicitation/create" {
                    #expect(request["params"]?["message"] == .string("[\(name)] Which?"))
                }
                // What was not asked, and what comes twice, is nobody's.
                let id = request["id"] ?? nil
                for id in [.integer((id.intValue ?? 0) + 1), id, id] as [JSON] {
                    let answer: JSON = ["jsonrpc": "2.0", "id": id, "result": result]
                    try client.send(answer.text + "\n")
                }
                #expect(text(try client.answer(to: call)) == result.text)
            }
        }
    }

    @Test(arguments: ["asking-old", "asking-new"])
    func `modern clients get what they have to find out, and come back`(name: String) throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: [name])
            var params = TestClient.modern(
                params(name, "elicitation/create"), capabilities: ["elicitation": ["form": [:]]])
            let first = try client.request("tools/call", params)["result"]
            #expect(first?["resultType"] == "input_required", "\(first?.text ?? "")")
            let request = try #require(first?["inputRequests"]?.objectValue?.members.first)
            #expect(request.value["params"]?["message"] == .string("[\(name)] Which?"))
            params["inputResponses"] = .object([request.name: Self.accepted])
            params["requestState"] = first?["requestState"]
            let answer = try client.request("tools/call", params)
            #expect(text(answer) == Self.accepted.text, "\(answer.text)")
            guard name == "asking-old" else { return }
            // The handle has been used; nothing is called anew for it.
            #expect(try client.request("tools/call", params)["error"]?["code"] == -32602)
        }
    }

    @Test(arguments: ["old", "new"])
    func `nothing is handed on that the card does not name`(name: String) throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: [name])
            try client.initialize("2025-11-25", capabilities: Self.all)
            let call = params(name, "elicitation/create")
            for params in [call, TestClient.modern(call, capabilities: Self.all)] {
                let answer = try client.request("tools/call", params)
                if name == "old" {
                    #expect(text(answer) == "refused -32601")
                } else {
                    #expect(answer["error"]?["code"] == 1001)
                    #expect(answer["error"]?["data"]?["rule"] == "client_requests")
                }
            }
            #expect(client.others.isEmpty)
        }
    }

    @Test(arguments: ["asking-old", "asking-new"])
    func `clients are not asked what they did not declare`(name: String) throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: [name])
            try client.initialize("2025-11-25", capabilities: ["roots": [:]])
            let call = params(name, "sampling/createMessage", ["messages": [], "maxTokens": 1])
            let legacy = try client.request("tools/call", call)
            let modern = try client.request(
                "tools/call", TestClient.modern(call, capabilities: ["roots": [:]]))
            if name == "asking-old" {
                #expect(text(legacy) == "refused -32601")
                #expect(text(modern) == "refused -32601")
            } else {
                #expect(legacy["error"]?["code"] == 1018)
                #expect(modern["error"]?["code"] == -32021)
                #expect(
                    modern["error"]?["data"] == ["requiredCapabilities": ["sampling": [:]]])
            }
            #expect(client.others.isEmpty)
        }
    }

    @Test(arguments: [
        #"{"message":"Your password, please","requestedSchema":{"type":"object","properties":{}}}"#,
        #"{"message":"x","requestedSchema":{"type":"object","properties":{"apiKey":{"type":"string"}}}}"#,
        #"{"message":"x","requestedSchema":{"type":"object","properties":{"a":{"type":"string","title":"Access Token"}}}}"#,
        #"{"message":"x","mode":"url","elicitationId":"1","url":"https://a.example"}"#,
        #"{"message":"x"}"#,
    ])
    func `forms that ask for secrets and web pages are declined`(form: String) throws {
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["asking-old", "asking-new"])
            try client.initialize("2025-11-25", capabilities: Self.all)
            let form = try JSON.parse(Array(form.utf8))
            let old = try client.request(
                "tools/call", params("asking-old", "elicitation/create", form))
            #expect(text(old) == #"{"action":"decline"}"#)
            let new = try client.request(
                "tools/call", params("asking-new", "elicitation/create", form))
            #expect(new["error"]?["code"] == 1018)
            #expect(client.others.isEmpty)
        }
    }

    @Test func `with two clients calling nobody is asked`() throws {
        let scripts: [String: FakeServer.Script] = [
            "asking": { server, _ in
                var first: JSON?
                return try server.serveLegacy { server, call in
                    guard let held = first else {
                        first = call
                        return nil
                    }
                    server.write(
                        (["jsonrpc": "2.0", "id": 1, "method": "roots/list"] as JSON).text + "\n")
                    let answer = try server.message()
                    #expect(answer?["error"]?["code"] == -32601)
                    _ = FakeServer.echo(server, held)
                    return FakeServer.echo(server, call)
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let one = try harness.client(connecting: ["asking"])
            let other = try harness.client()
            for client in [one, other] {
                try client.initialize(capabilities: ["roots": [:]])
            }
            let call = try one.ask("tools/call", ["name": "asking__echo"])
            #expect(try one.request("ping")["result"] != nil)
            #expect(try other.request("tools/call", ["name": "asking__echo"])["result"] != nil)
            #expect(try one.answer(to: call)["result"] != nil)
            #expect(one.others.isEmpty && other.others.isEmpty)
        }
    }

    @Test func `a call that ends takes back what was asked for it`() throws {
        let scripts: [String: FakeServer.Script] = [
            "asking": { server, _ in
                try server.serveLegacy { server, call in
                    server.write(
                        (["jsonrpc": "2.0", "id": 1, "method": "roots/list"] as JSON).text + "\n")
                    return FakeServer.echo(server, call)
                }
            }
        ]
        try Harness.run(scripts) { harness in
            let client = try harness.client(connecting: ["asking"])
            try client.initialize(capabilities: ["roots": [:]])
            #expect(try client.request("tools/call", ["name": "asking__echo"])["result"] != nil)
            let request = try #require(client.others.first)
            #expect(request["method"] == "roots/list")
            let cancelled = try client.receive()
            #expect(cancelled["method"] == "notifications/cancelled")
            #expect(cancelled["params"]?["requestId"] == request["id"])
        }
    }
}
