import JSONRPC
import MCP
import Testing

@Suite struct ClientFaceTests {
    private func receive(_ face: inout ClientFace, _ text: String) throws -> ClientRequest {
        let (envelope, bytes) = try message(text)
        return face.receive(envelope, bytes)
    }

    private func code(_ request: ClientRequest) -> Int? {
        if case .refuse(_, let code, _, _) = request { code } else { nil }
    }

    @Test(arguments: [
        ("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("2025-03-26", "2025-03-26"),
        ("2024-11-05", "2024-11-05"), ("1999-01-01", "2025-11-25"), ("2026-07-28", "2025-11-25"),
    ])
    func `initialize settles on the revision asked for, or the newest`(
        asked: String, answered: String
    ) throws {
        var face = ClientFace()
        let request = try receive(
            &face,
            #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"\#(asked)","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#
        )
        guard case .initialize(.integer(0), let version) = request else {
            Issue.record("\(request)")
            return
        }
        #expect(version == answered)
        #expect(face.legacyVersion == answered)
    }

    @Test func `both eras are spoken on one connection`() throws {
        var face = ClientFace()
        let discover = try receive(
            &face,
            #"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{\#(context)}}}"#
        )
        guard case .discover = discover else {
            Issue.record("\(discover)")
            return
        }
        let modern = try receive(
            &face,
            #"{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"_meta":{\#(context)}}}"#)
        guard case .list(_, .modern, .tools, nil) = modern else {
            Issue.record("\(modern)")
            return
        }
        #expect(
            code(try receive(&face, #"{"jsonrpc":"2.0","id":3,"method":"tools/list"}"#)) == -32600)
        _ = try receive(
            &face,
            #"{"jsonrpc":"2.0","id":4,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}"#
        )
        let legacy = try receive(
            &face, #"{"jsonrpc":"2.0","id":5,"method":"tools/list","params":{"cursor":""}}"#)
        guard case .list(_, .legacy, .tools, "") = legacy else {
            Issue.record("\(legacy)")
            return
        }
    }

    @Test(arguments: ["initialize", "ping", "logging/setLevel", "resources/subscribe", "no/such"])
    func `methods that the modern era has not are not found`(method: String) throws {
        var face = ClientFace()
        let request = try receive(
            &face,
            #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":{"protocolVersion":"2025-11-25","_meta":{\#(context)}}}"#
        )
        #expect(code(request) == -32601)
        #expect(face.inFlightCount == 0)
    }

    @Test func `an unknown revision is answered with those that are known`() throws {
        var face = ClientFace()
        let request = try receive(
            &face,
            #"{"jsonrpc":"2.0","id":"d","method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"1900-01-01","io.modelcontextprotocol/clientCapabilities":{}}}}"#
        )
        guard case .refuse(.string("d"), -32022, "Unsupported protocol version", let data) = request
        else {
            Issue.record("\(request)")
            return
        }
        #expect(data == ["supported": ["2026-07-28"], "requested": "1900-01-01"])
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":1,"method":"server/discover"}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{\#(context)}}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7,"_meta":{\#(context)}}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":[],"_meta":{\#(context)}}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":{"progressToken":1.5,\#(context)}}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":7,"_meta":{\#(context)}}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"corral/x","params":{"a":{"b":1,"b":2}}}"#,
    ])
    func `params that lack what is needed are refused`(text: String) throws {
        var face = ClientFace()
        #expect(code(try receive(&face, text)) == -32602)
    }

    @Test func `an id is taken until its request is finished`() throws {
        var face = ClientFace()
        let call = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
        #expect(code(try receive(&face, call)) == nil)
        guard case .refuse(nil, -32600, _, _) = try receive(&face, call) else {
            Issue.record("the second was accepted")
            return
        }
        let ended1 = face.finished(.integer(1))
        #expect(ended1)
        let ended2 = face.finished(.integer(1))
        #expect(!ended2)
        #expect(code(try receive(&face, call)) == nil)
    }

    @Test func `only a request in flight can be cancelled`() throws {
        var face = ClientFace()
        let cancel =
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#
        guard case .nothing = try receive(&face, cancel) else {
            Issue.record("nothing was in flight")
            return
        }
        _ = try receive(&face, #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
        guard case .cancel(.integer(1)) = try receive(&face, cancel) else {
            Issue.record("it was in flight")
            return
        }
    }

    @Test func `responses and other notifications are passed over`() throws {
        var face = ClientFace()
        for text in [
            #"{"jsonrpc":"2.0","id":"1","result":{}}"#,
            #"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}"#,
            #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            #"{"jsonrpc":"2.0","method":"notifications/whatever"}"#,
        ] {
            guard case .nothing = try receive(&face, text) else {
                Issue.record("\(text) asked for something")
                return
            }
        }
    }

    @Test func `a control method carries its params and token`() throws {
        var face = ClientFace()
        let request = try receive(
            &face,
            #"{"jsonrpc":"2.0","id":1,"method":"corral/connections/get","params":{"name":"x","_meta":{"progressToken":"t"}}}"#
        )
        guard
            case .control(
                .integer(1), .legacy, "corral/connections/get", let params, .string("t")) = request
        else {
            Issue.record("\(request)")
            return
        }
        #expect(params["name"] == "x")
    }
}
