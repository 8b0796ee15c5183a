import Glibc
import Kernel
import Sandbox
import Testing

@testable import Policy
@testable import Supervisor

@Suite(.enabled(if: geteuid() == 0, "needs root")) struct DiskLimitsTests {
    /// What a policy of these keys comes to, in a tree of groups that is gone afterwards.
    private func limits(_ keys: String, own: [String] = []) throws -> DiskLimits {
        let number = try System.random(8).map { String($0, radix: 16) }.joined()
        let tree = try CgroupTree(host: .detect(), name: "corral-test-\(getpid())-\(number)")
        defer {
            for root in tree.roots {
                do { try Files.removeDirectory(root) } catch { Issue.record("left: \(error)") }
            }
        }
        let text = "version: 1\nname: p\n\(keys)\n"
        let policy = try Policy.read(Array(text.utf8), file: "p.yaml")
        return try DiskLimits(policy, seeing: own, on: tree)
    }

    /// Says why where a host has no controller, which is then what is refused.
    private func mayLimit() throws -> Bool {
        if try CgroupHost.detect().limitsDisks() { return true }
        print("DiskLimitsTests skipped: no controller of disks")
        return false
    }

    @Test func `a policy without the key limits nothing, and looks at nothing`() throws {
        let found = try limits("filesystem: {read: [/usr]}", own: ["/no/such/path"])
        #expect(found.rates == nil && found.without == [])
    }

    @Test func `the rates are the policy's, on the disks of what the sandbox shows`() throws {
        guard try mayLimit() else { return }
        let disks = try Disks(below: ["/usr"])
        guard !disks.numbers.isEmpty else { return print("DiskLimitsTests skipped: \(disks)") }
        let keys = "limits: {io: {read: 2MiB, write: 1MiB, reads: 20, writes: 10}}\n"
        let wanted = Cgroup.DiskRates(
            readBytes: 2 << 20, writeBytes: 1 << 20, reads: 20, writes: 10, disks: disks.numbers)
        #expect(try limits(keys + "filesystem: {read: [/usr]}").rates == wanted)
        #expect(try limits(keys + "filesystem: {read: []}", own: ["/usr"]).rates == wanted)
    }

    @Test func `a policy whose files are on no disk is refused, with key, place and reason`()
        throws
    {
        guard try mayLimit() else { return }
        let error = #expect(throws: SandboxError.self) {
            try limits("limits: {io: {read: 2MiB}}\nfilesystem: {read: []}", own: ["/proc/1"])
        }
        #expect(error?.step == "limit-io")
        #expect(
            error?.cause
                == "policy 'p' asks for limits.io (p.yaml:3:14), and nothing that it shows is on a "
                + "disk; /proc: proc has no disk")
    }
}
