import JSONRPC
import Testing

@Suite struct EnvelopeTests {
    private func parse(_ text: String) throws(EnvelopeError) -> Envelope {
        let bytes = Array(text.utf8)
        return try Envelope.parse(bytes, in: 0..<bytes.count)
    }

    private func refusal(_ text: String) -> EnvelopeError? {
        do throws(EnvelopeError) {
            _ = try parse(text)
            return nil
        } catch { return error }
    }

    private func part(_ text: String, _ range: Range<Int>?) -> String? {
        range.map { String(decoding: Array(text.utf8)[$0], as: UTF8.self) }
    }

    @Test func `a request is taken apart and its values keep their bytes`() throws {
        let text =
            #" {"params" : {"_meta":{"progressToken":"p","x/y":[1]},"arguments":{"n": 1.50},"name":"a"},"id":"7","method":"tools/call","jsonrpc":"2.0"} "#
        let message = try parse(text)
        #expect(message.kind == .request)
        #expect(message.id == .string("7"))
        #expect(message.method == "tools/call")
        #expect(part(text, message.params?[.arguments]) == #"{"n": 1.50}"#)
        #expect(part(text, message.params?[.name]) == #""a""#)
        #expect(part(text, message.meta?[.progressToken]) == #""p""#)
        #expect(message.meta?.list.count == 2)
        #expect(part(text, message.params?.range)?.hasSuffix(#""name":"a"}"#) == true)
        #expect(!message.hasReturns)
    }

    @Test func `notifications and responses are told apart`() throws {
        let note = try parse(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
        #expect(note.kind == .notification)
        #expect(note.params == nil)
        let result = try parse(#"{"jsonrpc":"2.0","id":3,"result":{"isError":true},"error":null}"#)
        #expect(result.kind == .response)
        #expect(result.id == .integer(3))
        #expect(result.resultMembers?[.isError] != nil)
        #expect(result.error == nil)
        let error = try parse(#"{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"x"}}"#)
        #expect(error.kind == .response)
        #expect(error.id == nil)
        #expect(error.error?[.code] != nil)
        let scalar = try parse(#"{"jsonrpc":"2.0","id":3,"result":7}"#)
        #expect(scalar.resultMembers == nil)
        #expect(scalar.result != nil)
    }

    @Test func `params that are null count as none`() throws {
        let message = try parse(#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null}"#)
        #expect(message.params == nil)
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"m","Method":"n"}"#,
        #"{"jsonrpc":"2.0","id":1,"METHOD":"m"}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"name":"a","name":"b"}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"name":"a","n\u0061me":"b"}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"name":"a","Name":"b"}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"Name":"b"}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"N\u0041me":"b"}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"argumentſ":{}}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"tas\u212A":{}}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"x":1,"X":2}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"progresstoken":1}}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"a":1,"a":1}}}"#,
    ])
    func `a name twice or in another case is refused`(text: String) {
        #expect(refusal(text)?.code == -32600)
    }

    @Test func `names deeper than that are the server's business`() throws {
        let text =
            #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"arguments":{"a":1,"A":2,"a":3}}}"#
        #expect(try parse(text).params?[.arguments] != nil)
    }

    @Test func `an escaped name is the name it stands for`() throws {
        let text = #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"n\u0061me":"b"}}"#
        #expect(part(text, try parse(text).params?[.name]) == #""b""#)
    }

    @Test(arguments: [
        (#"{"id":1,"method":"m"}"#, -32600), (#"{"jsonrpc":"1.0","id":1,"method":"m"}"#, -32600),
        (#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600), (#"{"jsonrpc":"2.0","id":1}"#, -32600),
        (#"{"jsonrpc":"2.0","id":1,"method":"m","result":1}"#, -32600),
        (#"{"jsonrpc":"2.0","id":1,"result":1,"error":{}}"#, -32600),
        (#"{"jsonrpc":"2.0","id":1,"error":7}"#, -32600),
        (#"{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}"#, -32602),
        (#"[{"jsonrpc":"2.0","id":1,"method":"m"}]"#, -32600), ("7", -32600),
        ("hello", -32700), (#"{"jsonrpc":"2.0","id":1,"method":"m""#, -32700), ("[1,", -32700),
        (#"{"jsonrpc":"2.0","id":1,"method":"m",}"#, -32700),
        (#"{"jsonrpc":"2.0","id":1,"method":"m"}{}"#, -32700),
    ])
    func `what is no message is refused with JSON-RPC's code`(text: String, code: Int) {
        #expect(refusal(text)?.code == code)
    }

    @Test(arguments: [
        "null", "1.5", "1.0", "1e3", "true", "[]", "9007199254740993", "-9007199254740993",
        "99999999999999999999999", "\"" + String(repeating: "x", count: 257) + "\"",
    ])
    func `an id that servers corrupt is refused`(id: String) {
        let error = refusal(#"{"jsonrpc":"2.0","method":"m","id":\#(id)}"#)
        #expect(error?.code == -32600)
        #expect(error?.id == nil)
    }

    @Test func `ids reach from the smallest to the largest`() throws {
        for id in [-9_007_199_254_740_992, -1, 0, 1, 9_007_199_254_740_992] {
            #expect(try parse(#"{"jsonrpc":"2.0","id":\#(id),"method":"m"}"#).id == .integer(id))
        }
        let long = String(repeating: "x", count: 256)
        #expect(try parse(#"{"jsonrpc":"2.0","id":"\#(long)","method":"m"}"#).id == .string(long))
        #expect(
            try parse(#"{"jsonrpc":"2.0","id":"\u00e9","method":"m"}"#).id == .string("\u{E9}"))
    }

    @Test func `a refusal names the request it refuses when it can`() {
        let text = #"{"jsonrpc":"2.0","id":5,"method":"m","params":{"Name":1}}"#
        #expect(refusal(text)?.id == .integer(5))
        #expect(
            refusal(text)?.message
                == "cannot accept the message: the name 'Name' differs only by case from 'name'")
    }

    @Test func `more members than the limit are refused`() {
        func message(_ count: Int) -> String {
            let members = (0..<count).map { "\"n\($0)\":0" }.joined(separator: ",")
            return #"{"jsonrpc":"2.0","id":5,"method":"m","params":{\#(members)}}"#
        }
        #expect(refusal(message(Limit.members)) == nil)
        #expect(refusal(message(Limit.members + 1))?.code == -32600)
    }

    @Test func `a carriage return in whitespace becomes a space when spliced`() throws {
        let text =
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"arguments\":{\r\"a\":1}}}"
        let message = try parse(text)
        #expect(message.hasReturns)
        var writer = LineWriter()
        writer.splice(Array(text.utf8), try #require(message.params?[.arguments]), hasReturns: true)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{ "a":1}"#)
    }

    @Test func `the writer's messages are read back as they were meant`() throws {
        var writer = LineWriter()
        writer.request(.string("a\"b"), "tools/list", ["cursor": ""])
        writer.error(nil, code: -32700, message: "no\nway", data: ["k": 1])
        writer.result(.integer(-3), ["ok": true])
        writer.notification("notifications/initialized")
        let lines = writer.bytes.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
        #expect(
            lines == [
                #"{"jsonrpc":"2.0","id":"a\"b","method":"tools/list","params":{"cursor":""}}"#,
                #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no\nway","data":{"k":1}}}"#,
                #"{"jsonrpc":"2.0","id":-3,"result":{"ok":true}}"#,
                #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            ])
        for line in lines { _ = try parse(line) }
    }
}
