import JSONRPC
import MCP
import Testing

@Suite struct ServerFaceTests {
    /// A session and what it wrote.
    private struct Session {
        var face = ServerFace()
        var out = LineWriter()

        init(_ mode: ServerFace.Mode, lists: Bool = false) {
            face.start(mode, lists: lists, into: &out)
        }

        mutating func receive(_ text: String) throws -> ServerEvent {
            let (envelope, bytes) = try message(text)
            return face.receive(envelope, bytes, into: &out)
        }
    }

    private let discovered =
        #"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private"}}"#

    private func initialized(_ id: Int, _ version: String = "2025-06-18") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"result":{"protocolVersion":"\#(version)","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}"#
    }

    @Test func `a server that answers discover is modern`() throws {
        var session = Session(.probe)
        let probe = session.out.takeLines()
        #expect(probe.count == 1)
        #expect(probe[0].contains(#""method":"server/discover""#))
        #expect(probe[0].contains(#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#))
        guard case .ready(nil) = try session.receive(discovered) else {
            Issue.record("not ready")
            return
        }
        #expect(session.face.verdict == .modern)
        #expect(session.out.isEmpty)
    }

    @Test(arguments: [
        #""error":{"code":-32601,"message":"Method not found"}"#,
        #""error":{"code":-32602,"message":"Invalid request parameters"}"#,
        #""error":{"code":-32022,"message":"x","data":{"supported":["2025-11-25"]}}"#,
        #""result":{"supportedVersions":["2025-11-25"]}"#, #""result":7"#,
    ])
    func `any other answer brings initialize on the same pipe`(answer: String) throws {
        var session = Session(.probe)
        _ = session.out.takeLines()
        _ = try session.receive(#"{"jsonrpc":"2.0","id":1,\#(answer)}"#)
        let sent = session.out.takeLines()
        #expect(sent.count == 1)
        #expect(sent[0].contains(#""method":"initialize""#))
        guard case .ready(nil) = try session.receive(initialized(2)) else {
            Issue.record("not ready")
            return
        }
        #expect(session.face.verdict == .legacy)
        #expect(session.face.version == "2025-06-18")
        let sent1 = session.out.takeLines()
        #expect(
            sent1 == [#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#])
    }

    @Test func `a server that names the modern revision is asked once more`() throws {
        var session = Session(.probe)
        _ = session.out.takeLines()
        let error = #""error":{"code":-32022,"message":"x","data":{"supported":["2026-07-28"]}}"#
        _ = try session.receive(#"{"jsonrpc":"2.0","id":1,\#(error)}"#)
        let sent2 = session.out.takeLines()
        #expect(sent2[0].contains("server/discover"))
        _ = try session.receive(#"{"jsonrpc":"2.0","id":2,\#(error)}"#)
        let sent3 = session.out.takeLines()
        #expect(sent3[0].contains("initialize"))
    }

    @Test func `a server that ends or is silent at the probe is started again for initialize`() {
        var session = Session(.probe)
        guard case .respawn = session.face.ended() else {
            Issue.record("an end at the probe is no crash")
            return
        }
        session = Session(.probe)
        guard case .respawn = session.face.timedOut() else {
            Issue.record("silence at the probe is no verdict")
            return
        }
        session = Session(.known(.legacy))
        let sent4 = session.out.takeLines()
        #expect(sent4[0].contains("initialize"))
        guard case .failed("handshake", _) = session.face.ended() else {
            Issue.record("an end at initialize is a failure")
            return
        }
    }

    @Test func `a revision nobody knows ends the handshake`() throws {
        var session = Session(.known(.legacy))
        guard
            case .failed("handshake", let cause) = try session.receive(initialized(1, "2031-01-01"))
        else {
            Issue.record("accepted")
            return
        }
        #expect(cause.contains("2031-01-01"))
    }

    @Test func `pages of tools are put together, an empty cursor is a cursor`() throws {
        var session = Session(.known(.legacy), lists: true)
        _ = try session.receive(initialized(1))
        let sent5 = session.out.takeLines()
        #expect(
            sent5.last
                == #"{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}"#)
        _ = try session.receive(
            #"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"a","inputSchema":{"type":"object","x":1.50}}],"nextCursor":""}}"#
        )
        let sent6 = session.out.takeLines()
        #expect(
            sent6 == [
                #"{"jsonrpc":"2.0","id":3,"method":"tools/list","params":{"cursor":""}}"#
            ])
        guard
            case .ready(let offer?) = try session.receive(
                #"{"jsonrpc":"2.0","id":3,"result":{"tools":[{"name":"b","inputSchema":{}}],"nextCursor":null}}"#
            )
        else {
            Issue.record("not ready")
            return
        }
        #expect(offer.tools?.map(\.name) == ["a", "b"])
        #expect(offer.lists[.prompts] == [])
        #expect(offer.tools?[0].json.text.contains("1.50") == true)
    }

    @Test(arguments: [
        #"{"tools":[{"name":"a","inputSchema":{}},{"name":"a","inputSchema":{}}]}"#,
        #"{"tools":[{"name":"a"}]}"#, #"{"tools":[{"name":"","inputSchema":{}}]}"#,
        #"{"tools":7}"#, #"{}"#, #"{"tools":[],"tools":[]}"#,
    ])
    func `a list that cannot be used fails with its step`(result: String) throws {
        var session = Session(.known(.legacy), lists: true)
        _ = try session.receive(initialized(1))
        do {
            guard
                case .failed("list tools", _) = try session.receive(
                    #"{"jsonrpc":"2.0","id":2,"result":\#(result)}"#)
            else {
                Issue.record("accepted")
                return
            }
        } catch is EnvelopeError {
            // A name twice in the result itself is no message at all.
        }
    }

    @Test func `a list whose pages go round ends`() throws {
        var session = Session(.known(.legacy), lists: true)
        _ = try session.receive(initialized(1))
        var event = ServerEvent.nothing
        var id = 2
        while case .nothing = event, id < 200 {
            event = try session.receive(
                #"{"jsonrpc":"2.0","id":\#(id),"result":{"tools":[],"nextCursor":"same"}}"#)
            id += 1
        }
        guard case .failed("list tools", _) = event else {
            Issue.record("it went on")
            return
        }
        #expect(id == 4)
    }

    @Test func `a call carries the broker's own number and token, and untouched arguments`() throws
    {
        var face = ClientFace()
        let (envelope, bytes) = try message(
            #"{"jsonrpc":"2.0","id":"mine","method":"tools/call","params":{"name":"c__t","arguments":{"n": 1.0, "b":2,"a":1},"_meta":{\#(context),"progressToken":"tok","traceparent":"00-1"}}}"#
        )
        guard case .call(let call) = face.receive(envelope, bytes) else {
            Issue.record("no call")
            return
        }
        for call in [call, call.detached()] {
            var session = Session(.known(.legacy))
            _ = try session.receive(initialized(1))
            _ = session.out.takeLines()
            let number = session.face.call(call, own: "t", into: &session.out)
            #expect(number == 2)
            let sent7 = session.out.takeLines()
            #expect(
                sent7 == [
                    #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t","arguments":{"n": 1.0, "b":2,"a":1},"_meta":{"progressToken":2,"traceparent":"00-1"}}}"#
                ])
            var modern = Session(.probe)
            _ = try modern.receive(discovered)
            _ = modern.out.takeLines()
            _ = modern.face.call(call, own: "t", into: &modern.out)
            let line = try #require(modern.out.takeLines().first)
            let sent = try JSON.parse(Array(line.utf8))
            let meta = try #require(sent["params"]?["_meta"])
            #expect(meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28")
            #expect(meta["io.modelcontextprotocol/clientCapabilities"] == [:])
            #expect(meta["progressToken"] == 2)
            #expect(meta["traceparent"] == "00-1")
        }
    }

    @Test func `answers and progress of other forms than the broker's numbers reach nobody`() throws
    {
        var session = Session(.known(.legacy))
        _ = try session.receive(initialized(1))
        for text in [
            #"{"jsonrpc":"2.0","id":"2","result":{}}"#,
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"2","progress":1}}"#,
            #"{"jsonrpc":"2.0","method":"notifications/progress"}"#,
            #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}"#,
        ] {
            guard case .nothing = try session.receive(text) else {
                Issue.record("\(text) reached somebody")
                return
            }
        }
    }

    @Test func `a server's requests are answered, pings with a result`() throws {
        var session = Session(.known(.legacy))
        _ = session.out.takeLines()
        _ = try session.receive(#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#)
        let sent8 = session.out.takeLines()
        #expect(sent8 == [#"{"jsonrpc":"2.0","id":"p","result":{}}"#])
        _ = try session.receive(#"{"jsonrpc":"2.0","id":9,"method":"roots/list"}"#)
        let sent9 = session.out.takeLines()
        #expect(sent9[0].contains("-32601"))
    }

    @Test func `noise is borne up to its budget`() {
        var face = ServerFace()
        for _ in 0..<Limit.noiseLines {
            let isBorne = face.noise(bytes: 10)
            #expect(isBorne)
        }
        let isBorne = face.noise(bytes: 10)
        #expect(!isBorne)
        var other = ServerFace()
        let isLargeBorne = other.noise(bytes: Limit.noiseBytes + 1)
        #expect(!isLargeBorne)
    }
}
