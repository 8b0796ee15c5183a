import Control
import JSONRPC
import Kernel
import Testing

@testable import corral

@Suite struct ControlClientTests {
    /// Runs a request against answers that wait in the socket already; returns what was sent.
    private func exchange<Answer>(
        _ answers: [String], close: Bool = false,
        _ body: (ControlClient) throws(CommandFailure) -> Answer
    ) throws -> (answer: Result<Answer, CommandFailure>, sent: [JSON]) {
        let pair = try SocketPair()
        let client = ControlClient(socket: try pair.client.duplicate())
        try pair.server.write(Array(answers.map { $0 + "\n" }.joined().utf8))
        if close { try Socket.endWriting(pair.server.raw) }
        let answer = Result { () throws(CommandFailure) in try body(client) }
        let sent = try (readable(pair.server) ?? "").split(separator: "\n").map {
            try JSON.parse(Array($0.utf8))
        }
        return (answer, sent)
    }

    @Test func `a request carries the modern envelope and gets its own answer`() throws {
        let (answer, sent) = try exchange([
            #"{"jsonrpc":"2.0","id":7,"result":{}}"#,
            #"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#,
            #"{"jsonrpc":"2.0","id":1,"result":{"lines":["a"],"next":1,"missed":0,"resultType":"complete"}}"#,
        ]) { client throws(CommandFailure) in
            try client.request(
                ConnectionsLogs.self, .init(name: "x", lines: 3), doing: "show the log")
        }
        #expect(try answer.get().lines == ["a"])
        let request = try #require(sent.first)
        #expect(sent.count == 1)
        #expect(request["method"] == "corral/connections/logs")
        #expect(request["params"]?["lines"] == 3)
        let meta = request["params"]?["_meta"]
        #expect(meta?["io.modelcontextprotocol/protocolVersion"] == "2026-07-28")
        #expect(meta?["io.modelcontextprotocol/clientCapabilities"] == [:])
        #expect(meta?["io.modelcontextprotocol/clientInfo"]?["name"] == "corral")
    }

    @Test func `progress of this request is told, of another it is not`() throws {
        func progress(_ token: Int, _ text: String) -> String {
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"#
                + #""progressToken":\#(token),"progress":1,"message":"\#(text)"}}"#
        }
        var told: [String] = []
        var waiting = ControlClient.Waiting.answer
        waiting.progress = { told.append($0) }
        _ = try exchange([
            progress(1, "one"), progress(2, "other"), progress(1, "two"),
            #"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        ]) { client throws(CommandFailure) in
            try client.request("x", params: [:], doing: "x", waiting: waiting)
        }
        #expect(told == ["one", "two"])
    }

    @Test func `an error answer becomes a failure with its status`() throws {
        let (answer, _) = try exchange([
            #"{"jsonrpc":"2.0","id":1,"error":{"code":1002,"message":"no","data":{"hint":"h"}}}"#
        ]) { client throws(CommandFailure) in
            try client.request(ConnectionsGet.self, .init(name: "x"), doing: "get 'x'")
        }
        let failure = try #require(throws: CommandFailure.self) { try answer.get() }
        #expect(failure.status == .notFound)
        #expect(failure.lines == ["corral: cannot get 'x': no", "hint: h"])
    }

    @Test(arguments: [
        ([], "the daemon closed the connection"),
        (["junk"], "cannot read JSON: unexpected character at byte 0"),
        ([#"{"jsonrpc":"2.0","id":1}"#], "cannot read 'error': expected an object"),
        (
            [#"{"jsonrpc":"2.0","id":1,"result":{"lines":5}}"#],
            "the daemon's answer: cannot read 'result.lines': expected an array"
        ),
    ])
    func `a daemon that makes no sense is a failure to reach it`(
        answers: [String], cause: String
    ) throws {
        let (answer, _) = try exchange(answers, close: true) { client throws(CommandFailure) in
            try client.request(ConnectionsLogs.self, .init(name: "x"), doing: "show it")
        }
        let failure = try #require(throws: CommandFailure.self) { try answer.get() }
        #expect(failure.status == .unreachable)
        #expect(failure.lines.first == "corral: cannot show it: \(cause)")
    }

    @Test func `a daemon that is silent past the deadline times out`() throws {
        let (answer, _) = try exchange([]) { client throws(CommandFailure) in
            try client.request("x", params: [:], doing: "x", waiting: .init(deadline: .zero))
        }
        let failure = try #require(throws: CommandFailure.self) { try answer.get() }
        #expect(failure.status == .timedOut)
    }

    @Test func `a socket that is not there is told with what to do`() throws {
        let failure = #expect(throws: CommandFailure.self) {
            _ = try ControlClient(path: "/tmp/no/such.sock")
        }
        #expect(failure?.status == .unreachable)
        #expect(
            failure?.lines == [
                "corral: cannot reach the daemon at '/tmp/no/such.sock': "
                    + "No such file or directory",
                "hint: is corrald running? See `systemctl status corrald`, or give --socket PATH",
            ])
        let denied = ControlClient.hint(KernelError("connect", errno: 13))
        #expect(denied.contains("group"))
    }

    @Test func `a listing follows its pages, also by an empty cursor`() throws {
        let (answer, sent) = try exchange([
            #"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"}],"nextCursor":""}}"#,
            #"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"b"}],"nextCursor":null}}"#,
        ]) { client throws(CommandFailure) in try ToolListing(client) }
        #expect(try answer.get().tools.compactMap { $0["name"]?.stringValue } == ["a", "b"])
        #expect(sent.map { $0["params"]?["cursor"] } == [nil, ""])
    }
}
