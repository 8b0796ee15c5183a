import Control
import JSONRPC
import Kernel
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct RunTests {
    private let access = "allow: [{users: ['*'], cards: ['*'], run: [default]}]"

    private func params(_ command: [String], policy: String = "default") -> JSON {
        Run.Params(policy: policy, command: command).json
    }

    /// What a command said, and its three descriptors closed.
    private func output(_ raw: [CInt]) throws -> String {
        try #require(raw.count == 3)
        let descriptors = raw.map { Kept(owning: $0) }
        try descriptors[0].descriptor.write(Array("in".utf8))
        let said = try descriptors[1].descriptor.read(limit: 100) ?? []
        return String(decoding: said, as: UTF8.self)
    }

    private func reason(_ answer: JSON) -> String? {
        answer["error"]?["data"]?["reason"]?.stringValue
    }

    @Test func `the answer brings the command's streams, and its end is told`() throws {
        try Harness.run(access: access) { harness in
            let client = try harness.client()
            let answer = try client.request(Run.method, params(["cat"]))
            let run = try #require(answer["result"]?["run"]?.intValue, "\(answer.text)")
            #expect(try output(client.takeDescriptors()) == "ran")
            #expect(harness.supervisor.commands == [["cat"]])
            let signal = RunSignal.Params(run: run, signal: 15)
            #expect(try client.request(RunSignal.method, signal.json)["result"] != nil)
            let others = client.others
            let told = try others.isEmpty ? client.receive() : others[0]
            #expect(told["method"]?.stringValue == RunEnded.method)
            let ended = try RunEnded(json: told["params"] ?? .null)
            #expect(ended.run == run && ended.signal == 15 && ended.limits.isEmpty)
        }
    }

    @Test func `answers before and behind it stay whole while the client does not read`() throws {
        try Harness.run(access: access) { harness in
            let client = try harness.client()
            var ids: [Int] = []
            // More than the socket holds, less than what stops the broker from reading.
            for _ in 0..<1_500 { ids.append(try client.ask(Whoami.method)) }
            let runs = [
                try client.ask(Run.method, params(["a"])),
                try client.ask(Run.method, params(["b"])),
            ]
            for _ in 0..<500 { ids.append(try client.ask(Whoami.method)) }
            for id in ids {
                #expect(try client.answer(to: id)["result"]?["user"] != nil)
            }
            for id in runs { #expect(try client.answer(to: id)["result"]?["run"] != nil) }
            let raw = client.takeDescriptors()
            #expect(raw.count == 6)
            #expect(try output(Array(raw.prefix(3))) == "ran")
            #expect(try output(Array(raw.suffix(3))) == "ran")
        }
    }

    @Test func `a command ends with its client, before and after it has started`() throws {
        try Harness.run(access: access) { harness in
            do {
                let client = try harness.client()
                let answer = try client.request(Run.method, params(["cat"]))
                #expect(answer["result"] != nil)
                #expect(harness.supervisor.running == 1)
                for raw in client.takeDescriptors() { _ = Descriptor(owning: raw) }
                _ = try client.ask(Run.method, params(["cat"]))
            }
            harness.supervisor.waitUntilIdle()
        }
    }

    @Test func `a client that never reads loses its command and nobody else's`() throws {
        try Harness.run(access: access) { harness in
            let other = try harness.client()
            #expect(try other.request(Run.method, params(["cat"]))["result"] != nil)
            do {
                let client = try harness.client()
                for _ in 0..<1_500 { _ = try client.ask(Whoami.method) }
                _ = try client.ask(Run.method, params(["cat"]))
                harness.supervisor.wait(untilRunning: 2)
            }
            harness.supervisor.wait(untilRunning: 1)
            #expect(try output(other.takeDescriptors()) == "ran")
        }
    }

    @Test func `a signal reaches a command of the same client only`() throws {
        try Harness.run(access: access) { harness in
            let client = try harness.client()
            let stranger = try harness.client()
            let answer = try client.request(Run.method, params(["cat"]))
            let run = try #require(answer["result"]?["run"]?.intValue)
            let signal = RunSignal.Params(run: run, signal: 9).json
            #expect(try stranger.request(RunSignal.method, signal)["result"] != nil)
            #expect(try stranger.request(Run.method, params(["missing"]))["error"] != nil)
            // The supervisor has answered what came after the signal, and the command still runs.
            #expect(harness.supervisor.running == 1)
            for raw in client.takeDescriptors() { _ = Descriptor(owning: raw) }
        }
    }

    @Test func `a command that cannot be executed is told with its step`() throws {
        try Harness.run(access: access) { harness in
            let answer = try harness.client().request(Run.method, params(["missing"]))
            #expect(reason(answer) == "start_failed")
            #expect(answer["error"]?["data"]?["step"] == "execute")
            #expect(answer["error"]?["data"]?["errno"] == 2)
            // The supervisor's sentence says it all.
            #expect(answer["error"]?["data"]?["hint"] == nil)
        }
    }

    @Test func `what is not allowed, restricted or too long is not even asked for`() throws {
        try Harness.run(access: access) { harness in
            let client = try harness.client()
            let other = try client.request(Run.method, params(["x"], policy: "other"))
            #expect(reason(other) == "not_allowed")
            let long = String(repeating: "x", count: 1 << 20)
            #expect(reason(try client.request(Run.method, params([long]))) == "bad_setting")
            let many = Array(repeating: "x", count: 600)
            #expect(reason(try client.request(Run.method, params(many))) == "bad_setting")
            #expect(reason(try client.request(Run.method, params(["a\u{0}"]))) == "bad_setting")
            let unknown = try client.request(Run.method, ["policy": "default"])
            #expect(unknown["error"]?["code"] == -32602)
            _ = try client.request(SessionRestrict.method, ["connection": "time"])
            #expect(reason(try client.request(Run.method, params(["x"]))) == "not_allowed")
            #expect(harness.supervisor.commands.isEmpty)
        }
    }

    @Test func `one user has so many commands at once and no more`() throws {
        try Harness.run(access: access) { harness in
            let client = try harness.client()
            for _ in 0..<128 {
                let answer = try client.request(Run.method, params(["cat"]))
                #expect(answer["result"] != nil, "\(answer.text)")
                for raw in client.takeDescriptors() { _ = Descriptor(owning: raw) }
            }
            #expect(reason(try client.request(Run.method, params(["cat"]))) == "limit_reached")
        }
    }
}

/// An owned descriptor that can stand in an array.
private final class Kept {
    let descriptor: Descriptor
    init(owning raw: CInt) { descriptor = Descriptor(owning: raw) }
}
