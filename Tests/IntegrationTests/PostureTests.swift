import Glibc
import JSONRPC
import Kernel
import Testing

extension IntegrationTests {
    /// What the kernel says of a real server, through the whole chain.
    @Suite struct PostureTests {
        private func rows(_ output: Output) throws -> [JSON] {
            try output.json()["rows"]?.arrayValue ?? []
        }

        /// The directory of the cgroup in which a process's number of processes is limited.
        private func pidsGroup(of pid: Int32) throws -> String {
            let lines = try Files.text("/proc/\(pid)/cgroup").split(separator: "\n").map(
                String.init)
            for line in lines {
                let parts = line.split(separator: ":", omittingEmptySubsequences: false)
                let hierarchy =
                    parts[1] == "pids" ? "/pids" : parts[1].isEmpty ? "" : "/\(parts[1])"
                let path = "/sys/fs/cgroup" + hierarchy + parts[2]
                if try Files.status(path + "/pids.max") != nil { return path }
            }
            throw HarnessError("no pids cgroup among \(lines)")
        }

        @Test func `all holds for a running server, and a wall taken away is told`() throws {
            let corral = try Corral()
            let connected = try corral.connectFaulty("faulty")
            try #require(connected.status == 0, "\(connected.out) \(connected.err)")
            let well = try corral.corral("--json", "posture", "faulty")
            #expect(well.status == 0, "\(well.out) \(well.err)")
            let found = try rows(well)
            #expect(found.count > 40)
            let groups = Set(found.compactMap { $0["group"]?.stringValue })
            #expect(
                groups.isSuperset(of: [
                    "namespaces", "identity", "privilege", "system calls", "cgroup", "resources",
                    "mounts", "descriptors",
                ]))

            let pid = try #require(Traces(of: corral).sandboxed().first)
            let file = try pidsGroup(of: pid) + "/pids.max"
            try Files.write("77", to: file)
            let ill = try corral.corral("--json", "posture", "faulty")
            #expect(ill.status == 1)
            let wrong = try rows(ill).filter { $0["ok"] == false }
            #expect(wrong.map { $0["name"] } == ["pids.max"], "\(ill.out)")
            #expect(wrong.first?["found"] == "77")
            #expect(try corral.log().contains("posture-differs"))
        }

        @Test func `a server that does not run is not started to be looked at`() throws {
            let corral = try Corral()
            let connected = try corral.connectFaulty("faulty")
            try #require(connected.status == 0, "\(connected.out) \(connected.err)")
            for pid in try Traces(of: corral).sandboxed() { kill(pid, SIGKILL) }
            let isGone = try eventually(milliseconds: Patience.answer) {
                try corral.corral("--json", "list").out.contains(#""state":"idle""#)
            }
            #expect(isGone)
            let answer = try corral.corral("--json", "posture", "faulty")
            #expect(answer.status == 1)
            #expect(try answer.json()["error"]?["data"]?["reason"] == "not_running")
            #expect(try Traces(of: corral).sandboxed().isEmpty)
        }
    }
}
