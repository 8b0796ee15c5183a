import Control
import JSONRPC
import Testing

@Suite struct FailureTests {
    @Test func `a failure comes back with everything it said`() throws {
        let failure = Failure(
            .notAllowed, "cannot call 'git__push': refused", id: "d-1", rule: "deny push",
            file: "/etc/corral/policies/access.yaml", line: 12, hint: "ask", log: ["a", "b"])
        let back = try Failure(json: try JSON.parse(failure.json.serialized()))
        #expect(back == failure)
        var step = failure
        (step.step, step.errno) = ("execute", 2)
        #expect(try Failure(json: try JSON.parse(step.json.serialized())) == step)
        #expect(back.known == .notAllowed)
        #expect(failure.json["data"]?["reason"] == "not_allowed")
    }

    @Test func `a failure without a hint takes its code's`() {
        #expect(Failure(.timeout, "m").hint == ErrorCode.timeout.hint)
    }

    @Test func `an error of JSON-RPC has no data`() throws {
        let failure = Failure(code: -32601, message: "method not found")
        #expect(failure.json == ["code": -32601, "message": "method not found"])
        #expect(try Failure(json: failure.json) == failure)
        #expect(failure.known == nil)
    }

    @Test func `data that somebody else wrote does not hide the error`() throws {
        let json: JSON = [
            "code": -32602, "message": "bad",
            "data": ["hint": 5, "line": "x", "log": [1, "kept"], "uri": "u"],
        ]
        let failure = try Failure(json: json)
        #expect(failure.message == "bad")
        #expect(failure.hint == nil && failure.line == nil)
        #expect(failure.log == ["kept"])
        #expect(try Failure(json: ["code": 1, "message": "m", "data": "text"]).id == nil)
    }

    @Test func `names and codes are each used once`() {
        let names = ErrorCode.allCases.map(\.name)
        #expect(names.count == 27)
        #expect(Set(names).count == names.count)
        for code in ErrorCode.allCases {
            #expect(ErrorCode(name: code.name) == code)
            #expect(!code.meaning.isEmpty && !code.hint.isEmpty)
        }
        #expect(ErrorCode(name: "no_such") == nil)
    }
}
