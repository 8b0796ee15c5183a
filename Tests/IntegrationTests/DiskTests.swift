import JSONRPC
import Kernel
import Testing

extension IntegrationTests {
    /// `limits.io` through a real daemon, on the disk that /usr is on.
    @Suite struct DiskTests {
        private func corral(startedBy starter: [String] = [], line: String) throws -> Corral {
            try Corral(startedBy: starter) { etc in
                let text =
                    "version: 1\nname: default\n"
                    + "limits: {memory: 512MiB, \(line)}\nwarm: 0\n"
                try Corral.write(text, to: etc + "/policies/default.yaml")
                let access = """
                    version: 1
                    allow:
                      - {users: [root], cards: ["*"], commands: true, run: ["*"],
                         directories: [\(etc.dropLast("/etc".count))]}

                    """
                try Corral.write(access, to: etc + "/policies/access.yaml")
            }
        }

        /// Says why where nothing can be proved.
        private func mayLimit() throws -> Bool {
            let disks = try Disks(below: ["/usr"])
            if try CgroupHost.detect().limitsDisks(), !disks.numbers.isEmpty { return true }
            print("DiskTests skipped: no controller of disks, or /usr is on none: \(disks)")
            return false
        }

        /// 120 processes read 6 MiB and more each, past the cache; their parent ends meanwhile.
        private static let crowd = """
            import mmap, os, sys, time
            path = os.path.realpath(sys.executable)
            block = mmap.mmap(-1, os.stat(path).st_size >> 12 << 12)
            for _ in range(120):
                if os.fork() == 0:
                    os.preadv(os.open(path, os.O_RDONLY | os.O_DIRECT), [block], 0)
                    os._exit(0)
            time.sleep(1)
            print("up")
            """

        @Test func `posture tells the rates, and what waits for a disk does not hold up an end`()
            throws
        {
            guard try mayLimit() else { return }
            let corral = try corral(line: "io: {read: 2MiB, writes: 1000}")
            let run = try corral.corral([
                "run", "--policy", "default", "--", "python3", "-c", Self.crowd,
            ])
            #expect(run.status == 0 && run.out == "up\n", "\(run)")
            #expect(try withinASecond { try Traces(of: corral).sandboxed().isEmpty })
            let connected = try corral.connectFaulty("faulty")
            try #require(connected.status == 0, "\(connected.out) \(connected.err)")
            let posture = try corral.corral("--json", "posture", "faulty")
            #expect(posture.status == 0, "\(posture.out)")
            let rows = try posture.json()["rows"]?.arrayValue ?? []
            let rates = rows.filter { row in
                let name = row["name"]?.stringValue ?? ""
                return name == "io.max" || name.hasPrefix("blkio.throttle.")
            }
            #expect(!rates.isEmpty && rates.allSatisfy { $0["ok"] == true }, "\(rows)")
            #expect(rates.contains { $0["found"]?.stringValue?.contains("2097152") == true })
        }

        @Test func `what waits for a disk does not outlive a supervisor that was killed`() throws {
            guard try mayLimit() else { return }
            let corral = try corral(line: "io: {read: 2MiB}")
            let run = try Command.start(
                [
                    "\(corral.directory)/bin/corral", "--socket", corral.socket, "run", "--policy",
                    "default", "--", "python3", "-u", "-c", Self.crowd + "\ntime.sleep(600)",
                ], files: corral.directory + "/lasting")
            let isUp = try eventually(milliseconds: Patience.ready) {
                try Files.text(corral.directory + "/lasting.out").hasPrefix("up\n")
            }
            #expect(isUp)
            try corral.killSupervisor()
            _ = try Command.wait(for: run, milliseconds: Patience.command)
            #expect(try withinASecond { try Traces(of: corral).sandboxed().isEmpty })
        }

        @Test func `without the controller a start is refused with key, place and remedy`() throws {
            guard try mayLimit() else { return }
            guard try CgroupHost.detect().version == .v1 else {
                return print("DiskTests skipped: version 2 has no controller to unmount alone")
            }
            let corral = try corral(
                startedBy: [
                    "/usr/bin/unshare", "-m", "/bin/sh", "-c",
                    #"umount /sys/fs/cgroup/blkio && exec "$0" "$@""#,
                ], line: "io: {read: 2MiB}")
            let answer = try corral.connectFaulty("faulty")
            #expect(answer.status != 0)
            let told = try answer.json()["error"]?["message"]?.stringValue ?? answer.out
            let file = corral.directory + "/etc/policies/default.yaml"
            #expect(
                told.contains(
                    "cannot start 'custom': limit-io: policy 'default' asks for limits.io "
                        + "(\(file):3:30), and this host has no controller of disks"), "\(told)")
            #expect(told.contains("Delegate=yes"), "\(told)")
            #expect(try Traces(of: corral).sandboxed().isEmpty)
        }
    }
}
