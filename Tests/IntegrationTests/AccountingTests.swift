import JSONRPC
import Kernel
import Testing

extension IntegrationTests {
    /// What calls of a real server used, as the kernel counted it.
    @Suite struct AccountingTests {
        private func usage(_ corral: Corral, _ tool: String, _ arguments: String) throws -> JSON {
            let answer = try corral.corral("--json", "call", "faulty__\(tool)", arguments)
            let found = try answer.json()
            let place = found["_meta"] ?? (found["error"] ?? found)["data"]
            return try #require(place?["dev.corral/usage"], "\(answer.out) \(answer.err)")
        }

        private func connected() throws -> Corral {
            let corral = try Corral()
            let connected = try corral.connectFaulty("faulty")
            try #require(connected.status == 0, "\(connected.out) \(connected.err)")
            return corral
        }

        @Test func `processor time is the call's own`() throws {
            let corral = try connected()
            let burnt = try usage(corral, "burn", #"{"seconds": 0.2}"#)
            let cpu = try #require(burnt["cpuMicroseconds"]?.intValue)
            #expect((150_000..<2_000_000).contains(cpu), "\(burnt.text)")
            #expect(burnt["shared"] == false)
            let idle = try usage(corral, "echo", "{}")
            let little = try #require(idle["cpuMicroseconds"]?.intValue)
            #expect(little < 100_000, "\(idle.text)")
        }

        @Test func `a memory peak is the call's own, where the kernel can set it back`() throws {
            let corral = try connected()
            let held = try usage(corral, "hold", #"{"bytes": 52428800}"#)
            let high = try #require(held["memoryPeakBytes"]?.intValue)
            #expect(high > 50 << 20, "\(held.text)")
            let small = try usage(corral, "echo", "{}")
            let low = try #require(small["memoryPeakBytes"]?.intValue)
            if small["memoryPeakSince"] == "call" {
                #expect(low < 50 << 20, "\(small.text)")
            } else {
                #expect(small["memoryPeakSince"] == "start")
                #expect(low >= high)
            }
        }

        @Test func `calls that overlap are told to be shared`() throws {
            let corral = try connected()
            var client = try RawClient(corral.socket)
            try client.initialize()
            for id in 1...2 {
                try client.send(
                    #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"faulty__nap","arguments":{"seconds":0.1}}}"#
                )
            }
            var shared = 0
            while shared < 2, let answer = try client.nextMessage() {
                guard answer["id"]?.intValue != nil else { continue }
                #expect(answer["result"]?["_meta"]?["dev.corral/usage"]?["shared"] == true)
                shared += 1
            }
            #expect(shared == 2)
            #expect(try usage(corral, "echo", "{}")["shared"] == false)
        }

        @Test func `a call that its server does not survive has its figures in the error`() throws {
            let corral = try connected()
            let dead = try usage(corral, "die", "{}")
            #expect(dead["cpuMicroseconds"]?.intValue ?? 0 > 0, "\(dead.text)")
            #expect(dead["bytesOut"] == 0)
        }
    }
}
