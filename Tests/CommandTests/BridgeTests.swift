import Control
import JSONRPC
import Kernel
import Testing

@testable import corral

/// A bridge between a host played by two pipes and a daemon played by a socket, all in one thread:
/// a step does no more than what is ready.
@Suite struct BridgeTests {
    private func step(_ bridge: Bridge, times: Int = 4) throws {
        for _ in 0..<times { try bridge.step(patience: .zero) }
    }

    @Test func `requests and answers pass through unchanged`() throws {
        let hostOut = try Pipe()
        let hostIn = try Pipe()
        let pair = try SocketPair()
        let bridge = Bridge(
            input: try hostOut.read.duplicate(), output: try hostIn.write.duplicate(),
            server: try pair.client.duplicate())
        try hostOut.write.write(Array("{\"id\":1}\r\nnot json \u{1b}\n".utf8))
        try step(bridge)
        #expect(try readable(pair.server) == "{\"id\":1}\r\nnot json \u{1b}\n")
        try pair.server.write(Array("answer\n".utf8))
        try step(bridge)
        #expect(try readable(hostIn.read) == "answer\n")
        #expect(bridge.state.ending(at: .now) == nil)
    }

    @Test func `a large answer reaches a slow host whole`() throws {
        let hostOut = try Pipe()
        let hostIn = try Pipe()
        let pair = try SocketPair()
        let bridge = Bridge(
            input: try hostOut.read.duplicate(), output: try hostIn.write.duplicate(),
            server: try pair.client.duplicate())
        let answer = String(repeating: "0123456789", count: 10_000)
        var rest = Array(answer.utf8)[...]
        var received = ""
        while received.utf8.count < answer.utf8.count {
            if !rest.isEmpty {
                rest = rest.dropFirst(try Socket.sendNow(rest, over: pair.server.raw))
            }
            try step(bridge, times: 1)
            received += try readable(hostIn.read, limit: 1_000) ?? ""
        }
        #expect(received == answer)
    }

    @Test func `after the host's end of input the answers in flight still come`() throws {
        let hostOut = try Pipe()
        let hostIn = try Pipe()
        let pair = try SocketPair()
        let bridge = try hostOut.split { (read, write) throws(KernelError) in
            try write.write(Array("call\n".utf8))
            // `write` ends here: the host has closed its side.
            return Bridge(
                input: read, output: try hostIn.write.duplicate(),
                server: try pair.client.duplicate())
        }
        try step(bridge)
        #expect(try readable(pair.server) == "call\n")
        #expect(try readable(pair.server) == "", "the daemon sees the end")
        #expect(bridge.state.ending(at: .now) == nil)
        try pair.server.write(Array("answer\n".utf8))
        try Socket.endWriting(pair.server.raw)
        try step(bridge)
        #expect(try readable(hostIn.read) == "answer\n")
        #expect(bridge.state.ending(at: .now) == .hostEnded)
    }

    @Test func `a daemon that goes away ends the bridge`() throws {
        let hostOut = try Pipe()
        let hostIn = try Pipe()
        let pair = try SocketPair()
        let bridge = Bridge(
            input: try hostOut.read.duplicate(), output: try hostIn.write.duplicate(),
            server: pair.clientEnd())
        #expect(try bridge.run() == .serverEnded)
        withExtendedLifetime(bridge) {}
        try hostOut.write.write([0x0A])
    }
}

@Suite struct BridgeSessionTests {
    private let away = CommandFailure(.unreachable, "cannot reach the daemon", hint: "start it")

    @Test func `requests are answered with the reason while the daemon is away`() throws {
        let line = Array(#"{"jsonrpc":"2.0","id":"a","method":"initialize"}"#.utf8)
        let answer = try JSON.parse(try #require(OfflineAnswer.answer(line, away)))
        #expect(answer["id"] == "a")
        let error = try Failure(json: try #require(answer["error"]))
        #expect(error.known == .supervisorUnavailable)
        #expect(error.message == "cannot reach the daemon")
        #expect(error.hint == "start it")
    }

    @Test func `notifications and answers are not answered, junk is`() throws {
        func answer(_ text: String) -> [UInt8]? { OfflineAnswer.answer(Array(text.utf8), away) }
        #expect(answer(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#) == nil)
        #expect(answer(#"{"jsonrpc":"2.0","id":1,"result":{}}"#) == nil)
        let junk = try JSON.parse(try #require(answer("junk")))
        #expect(junk["id"] == .null)
        #expect(junk["error"]?["code"] == -32700)
    }

    @Test func `a refusal of the daemon reaches the host as it is`() throws {
        let refusal = CommandFailure(Failure(.unknownConnection, "no"), doing: "offer 'x'")
        let line = Array(#"{"id":1,"method":"x"}"#.utf8)
        let answer = try JSON.parse(try #require(OfflineAnswer.answer(line, refusal)))
        #expect(answer["error"]?["code"] == 1002)
    }

    @Test func `a session without a daemon answers each request and ends with the reason`() throws {
        let hostOut = try Pipe()
        let hostIn = try Pipe()
        let session = try hostOut.split { (read, write) throws(KernelError) in
            try write.write(
                Array("{\"id\":1,\"method\":\"a\"}\n{\"id\":2,\"method\":\"b\"}\n".utf8))
            return BridgeSession(input: read, output: try hostIn.write.duplicate()) {
                () throws(CommandFailure) in throw away
            }
        }
        let failure = #expect(throws: CommandFailure.self) { try session.run() }
        #expect(failure == away)
        let answers = try #require(try readable(hostIn.read)).split(separator: "\n")
        #expect(try answers.map { try JSON.parse(Array($0.utf8))["id"] } == [1, 2])
    }
}
