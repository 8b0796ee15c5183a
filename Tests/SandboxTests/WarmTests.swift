import Glibc
import Kernel
import Testing

@testable import Sandbox

extension LaunchTests {
    /// Sandboxes that are made before anybody asks.
    @Suite struct WarmTests {
        /// One that waits, and where its reports come.
        private final class Waiter {
            let confined: Confined
            let waiting: Waiting
            let child: Child
            private let status: Descriptor

            init() throws {
                confined = try Confined()
                let reports = try Pipe()
                var plan = Confined.plan([])
                plan.environment = []
                let birth = try confined.template.launchWaiting(
                    plan, groups: .none, status: reports.write.duplicate())
                let told = birth.waiting
                waiting = try #require(told)
                let (pid, pidfd, network) = birth.release()
                child = Child(pid: pid, pidfd: Descriptor(owning: pidfd))
                let kept = network.map { Descriptor(owning: $0) }
                _ = consume kept
                status = try reports.read.duplicate()
            }

            func report() throws -> Report? {
                try Report(status.read(limit: Report.size) ?? [])
            }

            func field(_ name: String) throws -> String? {
                try Files.text("/proc/\(child.pid)/status").split(separator: "\n")
                    .first { $0.hasPrefix(name + ":") }
                    .map { String($0.dropFirst(name.utf8.count + 1).drop { $0 == "\t" }) }
            }

            /// Waits until it says that it is confined.
            func confine() throws {
                guard case .waiting? = try report() else {
                    Issue.record("it does not wait")
                    return
                }
            }
        }

        @Test func `one that waits is confined already, and runs what it is told then`() throws {
            let waiter = try Waiter()
            try waiter.confine()
            #expect(try waiter.field("Seccomp_filters") == String(Confined.filters()))
            #expect(try waiter.field("NoNewPrivs") == "1")
            #expect(try waiter.field("CapEff") == "0000000000000000")
            #expect(try waiter.field("CapBnd") == "0000000000000000")
            #expect(try waiter.field("Uid")?.hasPrefix("\(Confined.uid)\t") == true)

            let streams = try StreamPair()
            try waiter.waiting.run(
                Confined.plan(["/bin/sh", "-c", "echo $HOME; pwd; id -u; exit 7"]),
                streams: Streams(
                    input: streams.input.read.duplicate(),
                    output: streams.output.write.duplicate(),
                    errors: streams.errors.write.duplicate()))
            let output = try streams.output.read.duplicate()
            _ = consume streams
            let text = String(decoding: try output.readAll(limit: 4096), as: UTF8.self)
            #expect(text == "/home/tool\n/home/tool\n1000\n")
            guard case .started = try waiter.report() else {
                Issue.record("it did not start")
                return
            }
            #expect(try waiter.report() == .exited(status: 7, signal: 0))
            try waiter.child.end()
        }

        @Test func `it ends when nobody needs it any more`() throws {
            let waiter = try Waiter()
            try waiter.confine()
            #expect(try waiter.field("Seccomp_filters") == String(Confined.filters()))
            let streams = try StreamPair()
            // A command that is too long is refused, and with it its only way to be told one.
            #expect(throws: SandboxError.self) {
                try waiter.waiting.run(
                    Confined.plan(Array(repeating: "word", count: 600)),
                    streams: Streams(
                        input: streams.input.read.duplicate(),
                        output: streams.output.write.duplicate(),
                        errors: streams.errors.write.duplicate()))
            }
            var ending: Child.Ending?
            while ending == nil {
                ending = try waiter.child.reap()
                usleep(1000)
            }
            #expect(ending?.status == 0 && ending?.signal == 0)
        }

        @Test func `what it was made for cannot be changed by what it is told`() throws {
            let waiter = try Waiter()
            try waiter.confine()
            let streams = try StreamPair()
            var plan = Confined.plan(["/bin/sh", "-c", "id -u; ulimit -n; cat /proc/self/uid_map"])
            plan.openFiles = 1_000_000
            plan.withoutLandlock = true
            try waiter.waiting.run(
                plan,
                streams: Streams(
                    input: streams.input.read.duplicate(),
                    output: streams.output.write.duplicate(),
                    errors: streams.errors.write.duplicate()))
            let output = try streams.output.read.duplicate()
            _ = consume streams
            let text = String(decoding: try output.readAll(limit: 4096), as: UTF8.self)
            #expect(text.hasPrefix("1000\n64\n"), "\(text)")
            #expect(text.contains("\(Confined.uid)"), "\(text)")
            try waiter.child.end()
        }
    }
}
