import JSONRPC
import MCP
import Testing

@Suite struct ResultTranslationTests {
    private func translate(_ result: String, _ server: Era, _ client: Era) throws -> String {
        let (envelope, bytes) = try message(#"{"jsonrpc":"2.0","id":5,"result":\#(result)}"#)
        try ResultTranslation.check(envelope, bytes, from: server)
        var out = LineWriter()
        ResultTranslation.write(
            envelope, bytes, as: .string("x"), from: server, to: client, into: &out)
        let line = try #require(out.takeLines().first)
        _ = try JSON.parse(Array(line.utf8))
        let prefix = #"{"jsonrpc":"2.0","id":"x","result":"#
        #expect(line.hasPrefix(prefix))
        return String(line.dropFirst(prefix.count).dropLast())
    }

    private let legacy = #"{ "content" : [{"type":"text","text":"1.50"}], "z":1e2}"#
    private let modern =
        #"{"resultType":"complete","content":[],"ttlMs":5,"structuredContent":[1],"x":{"b":1.0}}"#

    @Test func `within one era every byte is kept`() throws {
        #expect(try translate(legacy, .legacy, .legacy) == legacy)
        #expect(try translate(modern, .modern, .modern) == modern)
    }

    @Test func `a legacy result becomes a complete one for modern clients`() throws {
        #expect(
            try translate(legacy, .legacy, .modern)
                == #"{"resultType":"complete", "content" : [{"type":"text","text":"1.50"}], "z":1e2}"#
        )
        let marked = #"{"content":[],"resultType":"complete"}"#
        #expect(try translate(marked, .legacy, .modern) == marked)
    }

    @Test func `a modern result loses what legacy clients do not know`() throws {
        #expect(try translate(modern, .modern, .legacy) == #"{"content":[],"x":{"b":1.0}}"#)
        #expect(
            try translate(
                #"{"resultType":"complete","content":[],"structuredContent":{"a":1}}"#, .modern,
                .legacy) == #"{"content":[],"structuredContent":{"a":1}}"#)
    }

    @Test(arguments: [
        ("7", Era.legacy), ("{}", .legacy), (#"{"content":"x"}"#, .legacy),
        (#"{"content":[]}"#, .modern), (#"{"resultType":"input_required","content":[]}"#, .modern),
        (#"{"resultType":"task","taskId":"t"}"#, .legacy),
    ])
    func `what is no finished result is refused`(result: String, server: Era) throws {
        #expect(throws: ResultTranslation.Problem.self) { try translate(result, server, .modern) }
    }

    @Test(arguments: [(-32602, -32602), (1013, -32000), (-32022, -32000), (7, -32000)])
    func `an error keeps its code unless that is not the server's to give`(
        code: Int, expected: Int
    ) throws {
        let (envelope, bytes) = try message(
            #"{"jsonrpc":"2.0","id":5,"error":{"code":\#(code),"message":"no","data":{"a": 1.0}}}"#)
        var out = LineWriter()
        #expect(ResultTranslation.writeError(envelope, bytes, as: .integer(1), into: &out))
        let sent1 = out.takeLines()
        #expect(
            sent1 == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":\#(expected),"message":"no","data":{"a": 1.0}}}"#
            ])
    }

    @Test func `progress is told under the client's own token`() throws {
        let (envelope, bytes) = try message(
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":2,"progress":0.50,"total":1,"message":"é","x":1}}"#
        )
        var out = LineWriter()
        ResultTranslation.writeProgress(envelope, bytes, token: .string("t"), into: &out)
        let sent2 = out.takeLines()
        #expect(
            sent2 == [
                #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":0.50,"total":1,"message":"é"}}"#
            ])
    }
}
