import Testing

@testable import Kernel

@Suite struct HostProbeTests {
    @Test func `swap is read in bytes`() {
        let meminfo = "MemTotal: 24684524 kB\nSwapTotal:       2097148 kB\nSwapFree: 1 kB\n"
        #expect(HostProbe.swapBytes(meminfo: meminfo) == 2_097_148 << 10)
        #expect(HostProbe.swapBytes(meminfo: "MemTotal: 1 kB\n") == 0)
    }

    @Test func `what Python says is understood or passed on`() {
        #expect(
            PythonProbe.answer("ok 3.11.2 23.0.1") == .complete(version: "3.11.2", pip: "23.0.1"))
        #expect(PythonProbe.answer("no ensurepip") == .incomplete("no ensurepip"))
        #expect(PythonProbe.answer("") == .incomplete("no answer"))
    }

    @Test func `the probes answer for every name and leave no group and no directory`() throws {
        let facts = HostProbe.facts(state: "/var/lib/corral-not-there/x", uid: 2_000_000_000)
        #expect(Set(facts.namespaces.keys) == Set(HostProbe.namespaces))
        #expect(Set(facts.calls.keys) == Set(HostProbe.calls))
        #expect(facts.kernel.first?.isNumber == true)
        #expect(facts.place?.path == "/var/lib")
        let left = try Files.names(in: "/var/lib").filter { $0.hasPrefix(".corral-doctor") }
        #expect(left.isEmpty)
    }

    @Test(.enabled(if: Identity.uid == 0))
    func `a name that is no namespace or call is refused, so that a typo cannot pass`() {
        #expect(HostProbe.facts(state: "/", uid: 1).namespaces["mnt"] != nil)
        #expect(throws: KernelError.self) { try HostProbe.makeNamespace("mount", isRoot: true) }
        #expect(throws: KernelError.self) { try HostProbe.makeCall("open2at") }
    }
}
