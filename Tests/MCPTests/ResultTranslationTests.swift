import JSONRPC
import MCP
import Testing

@Suite struct ResultTranslationTests {
    /// The member of the broker's own that every result gets.
    private static let own = #""dev.corral/usage":{"bytesIn":1}"#
    private let meta = #""_meta":{"dev.corral/usage":{"bytesIn":1}}"#

    private func translate(_ result: String, _ server: Era, _ client: Era) throws -> String {
        let (envelope, bytes) = try message(#"{"jsonrpc":"2.0","id":5,"result":\#(result)}"#)
        try ResultTranslation.check(envelope, bytes, from: server)
        var out = LineWriter()
        ResultTranslation.write(
            envelope, bytes, as: .string("x"), from: server, to: client, adding: Self.own,
            into: &out)
        let line = try #require(out.takeLines().first)
        _ = try JSON.parse(Array(line.utf8))
        let prefix = #"{"jsonrpc":"2.0","id":"x","result":"#
        #expect(line.hasPrefix(prefix))
        return String(line.dropFirst(prefix.count).dropLast())
    }

    private let legacy = #"{ "content" : [{"type":"text","text":"1.50"}], "z":1e2}"#
    private let modern =
        #"{"resultType":"complete","content":[],"ttlMs":5,"structuredContent":[1],"x":{"b":1.0}}"#

    @Test func `within one era every byte is kept behind the broker's own`() throws {
        #expect(
            try translate(legacy, .legacy, .legacy) == "{\(meta),\(legacy.dropFirst())")
        #expect(
            try translate(modern, .modern, .modern) == "{\(meta),\(modern.dropFirst())")
    }

    @Test func `what a server says in its own _meta stays, byte for byte`() throws {
        for (server, client) in [(Era.legacy, Era.legacy), (.modern, .modern), (.modern, .legacy)] {
            let type = server == .modern ? #","resultType":"complete""# : ""
            let said = #"{"content":[],"_meta":{ "a/b":1.50, "c":{"d":"dev"}}\#(type)}"#
            let told = try translate(said, server, client)
            let both =
                #""_meta":{"dev.corral/usage":{"bytesIn":1}, "a/b":1.50, "c":{"d":"dev"}}"#
            #expect(told.contains(both), "\(told)")
        }
        let empty = try translate(#"{"content":[],"_meta":{ }}"#, .legacy, .legacy)
        #expect(empty == #"{"content":[],\#(meta)}"#)
    }

    @Test(arguments: [
        #"{"dev.corral/usage":{"bytesIn":7}}"#, #"{"dev.corral/limits":["x"]}"#,
        #"{"\u0064ev.corral/usage":{"bytesIn":7}}"#, #"{"DEV.corral/Usage":7}"#,
        #"{"dev.corral/usage":1,"x":{"y":1,"y":2}}"#, "7", "null", #"["dev.corral/usage"]"#,
    ])
    func `a server cannot speak under the broker's names`(said: String) throws {
        for (server, client) in [(Era.legacy, Era.legacy), (.modern, .legacy), (.legacy, .modern)] {
            let type = server == .modern ? #","resultType":"complete""# : ""
            let told = try translate(
                #"{"_meta":\#(said),"content":[]\#(type)}"#, server, client)
            let result = try JSON.parse(Array(told.utf8))
            #expect(result["_meta"] == ["dev.corral/usage": ["bytesIn": 1]], "\(told)")
            #expect(result["content"] == [])
        }
    }

    @Test func `beside a false name of ours the others stay`() throws {
        let told = try translate(
            #"{"content":[],"_meta":{"dev.corral/usage":1,"a\n":1.50}}"#, .legacy, .legacy)
        #expect(
            told == #"{"content":[],"_meta":{"dev.corral/usage":{"bytesIn":1},"a\n":1.50}}"#)
    }

    /// Translates a failed result with two lines that are said.
    private func tell(_ result: String, _ server: Era, _ client: Era) throws -> String {
        let (envelope, bytes) = try message(#"{"jsonrpc":"2.0","id":5,"result":\#(result)}"#)
        var out = LineWriter()
        ResultTranslation.write(
            envelope, bytes, as: .integer(1), from: server, to: client,
            adding: ResultTranslation.limitsMember(["pids_exceeded (5)"]) + "," + Self.own,
            saying: [ResultTranslation.limitsLine(["pids_exceeded (5)"]), "a \"b\""], into: &out)
        let line = try #require(out.takeLines().first)
        _ = try JSON.parse(Array(line.utf8))
        return String(line.dropFirst(#"{"jsonrpc":"2.0","id":1,"result":"#.count).dropLast())
    }

    private let said =
        #"{"type":"text","text":"The sandbox met a limit: pids_exceeded (5)\na \"b\""}"#
    private let limits =
        #""dev.corral/limits":["pids_exceeded (5)"],"dev.corral/usage":{"bytesIn":1}"#

    @Test func `what is said stands behind what the tool said, which keeps every byte`() throws {
        #expect(
            try tell(
                #"{"content":[ {"n": 1.50} ],"_meta":{"a":1},"isError":true}"#, .legacy, .legacy)
                == #"{"content":[ {"n": 1.50} ,\#(said)],"_meta":{\#(limits),"a":1},"isError":true}"#
        )
        #expect(
            try tell(
                #"{"_meta":{"dev.corral/limits":[],"a":1},"isError":true, "content":[ ]}"#, .legacy,
                .legacy)
                == #"{"_meta":{\#(limits),"a":1},"isError":true, "content":[ \#(said)]}"#)
    }

    @Test func `what is said makes the content where there is none`() throws {
        #expect(
            try tell(#"{"structuredContent":{"a": 1}}"#, .legacy, .modern)
                == #"{"resultType":"complete","content":[\#(said)],"_meta":{\#(limits)},"structuredContent":{"a": 1}}"#
        )
        #expect(
            try tell(
                #"{"resultType":"complete","structuredContent":{"a": 1}}"#, .modern, .legacy)
                == #"{"_meta":{\#(limits)},"content":[\#(said)],"structuredContent":{"a": 1}}"#)
        #expect(
            try tell(
                #"{"resultType":"complete","content":[{"a": 1}],"isError":true}"#, .modern, .legacy)
                == #"{"_meta":{\#(limits)},"content":[{"a": 1},\#(said)],"isError":true}"#)
    }

    @Test func `what is said stands behind the message of an error`() throws {
        let (envelope, bytes) = try message(
            #"{"jsonrpc":"2.0","id":5,"error":{"code":-1,"message":"no"}}"#)
        var out = LineWriter()
        #expect(
            ResultTranslation.writeError(
                envelope, bytes, as: .integer(1), to: .modern, adding: Self.own,
                saying: ["a", "b"],
                into: &out))
        #expect(out.takeLines()[0].contains(#""message":"no; a; b""#))
    }

    @Test func `a legacy result becomes a complete one for modern clients`() throws {
        #expect(
            try translate(legacy, .legacy, .modern)
                == #"{"resultType":"complete",\#(meta), "content" : [{"type":"text","text":"1.50"}], "z":1e2}"#
        )
        let marked = #"{"content":[],"resultType":"complete"}"#
        #expect(
            try translate(marked, .legacy, .modern) == "{\(meta),\(marked.dropFirst())")
    }

    @Test func `a modern result loses what legacy clients do not know`() throws {
        #expect(
            try translate(modern, .modern, .legacy) == #"{\#(meta),"content":[],"x":{"b":1.0}}"#)
        #expect(
            try translate(
                #"{"resultType":"complete","content":[],"structuredContent":{"a":1}}"#, .modern,
                .legacy) == #"{\#(meta),"content":[],"structuredContent":{"a":1}}"#)
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
        #expect(
            ResultTranslation.writeError(
                envelope, bytes, as: .integer(1), to: .legacy, adding: Self.own, into: &out))
        let sent1 = out.takeLines()
        #expect(
            sent1 == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":\#(expected),"message":"no","data":{\#(Self.own),"a": 1.0}}}"#
            ])
    }

    @Test(arguments: [
        ("", #"{"dev.corral/usage":{"bytesIn":1}}"#), (#","data":"text""#, #""text""#),
        (#","data":{"dev.corral/usage":2}"#, #"{"dev.corral/usage":{"bytesIn":1}}"#),
    ])
    func `an error's data gets what the call used unless it is no object`(
        data: String, expected: String
    ) throws {
        let (envelope, bytes) = try message(
            #"{"jsonrpc":"2.0","id":5,"error":{"code":-1,"message":"no"\#(data)}}"#)
        var out = LineWriter()
        #expect(
            ResultTranslation.writeError(
                envelope, bytes, as: .integer(1), to: .legacy, adding: Self.own, into: &out))
        #expect(out.takeLines()[0].hasSuffix(#""data":\#(expected)}}"#))
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
