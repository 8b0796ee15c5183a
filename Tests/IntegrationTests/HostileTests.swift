import Kernel
import Testing

extension IntegrationTests {
    /// The corpus of attacks in Tests/Hostile, through the built programs.
    @Suite struct HostileTests {
        private func attack(_ words: String...) throws -> Output {
            try Command.run(
                ["/usr/bin/python3", "-B", "\(Host.top)/scripts/hostile.py"] + words,
                files: "/tmp/corral-test-hostile.\(System.monotonicMicroseconds)")
        }

        @Test func `every attack is stopped as it should be, and a neighbour's calls go on`() throws
        {
            let done = try attack("--programs", Host.built)
            let told = done.out.split(separator: "\n").filter { !$0.hasPrefix("ok ") }
            #expect(done.status == 0, "\(told.joined(separator: "\n"))\n\(done.err)")
        }

        @Test func `an attack that gets through is told, and fails the run`() throws {
            // Another user and no more privileges: no sandbox, but enough for the host to be safe.
            let weak = "/usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs"
            let done = try attack(
                "--server", "\(weak) /usr/bin/python3 -B {corpus}/server.py", "--only", "H1")
            #expect(done.status == 1)
            #expect(done.out.contains("FAIL read_host_file"), "\(done.out) \(done.err)")
            #expect(done.out.contains("ok   read_shadow"), "\(done.out) \(done.err)")
        }

        @Test func `another user's calls go on, whatever one sandbox uses up or says`() throws {
            let script = "\(Host.top)/scripts/noisy.py"
            let done = try Command.run(
                ["/usr/bin/python3", "-B", script, "--programs", Host.built, "--seconds", "0.5"],
                files: "/tmp/corral-test-noisy.\(System.monotonicMicroseconds)")
            #expect(done.status == 0, "\(done.out)\n\(done.err)")
        }

        @Test func `the documents list every attack`() throws {
            let table = try attack("--table").out
            #expect(table.hasPrefix("| H1 |"))
            #expect(try Files.text("\(Host.top)/docs/hostile.md").hasSuffix(table))
        }

        @Test func `nothing is attacked where nothing confines`() throws {
            let done = try attack("--server", "/usr/bin/python3 -B {corpus}/server.py")
            #expect(done.status == 1)
            #expect(!done.out.contains("ok "), "\(done.out)")
        }
    }
}
