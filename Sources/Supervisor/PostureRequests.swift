import Glibc
import Kernel
import Sandbox
import SupervisorProtocol

extension Supervisor {
    /// Answers what holds for a running server; a difference is told in the log too.
    func posture(_ id: UInt64, _ number: UInt64) throws(KernelError) {
        let rows: [PostureRow]
        do throws(Refusal) {
            rows = try look(at: sandboxes[number])
        } catch {
            return try send(.refused(id: id, error))
        }
        for row in rows where !row.ok {
            journal.event(
                "posture-differs",
                [
                    ("sandbox", String(number)), ("group", row.group), ("name", row.name),
                    ("wanted", row.wanted), ("found", row.found),
                ])
        }
        try send(.posture(id: id, rows))
    }

    private func look(at sandbox: RunningSandbox?) throws(Refusal) -> [PostureRow] {
        let gone = Refusal(code: .unknown, message: "cannot look at a sandbox: it is gone")
        guard let sandbox, let walls = sandbox.walls else { throw gone }
        do throws(KernelError) {
            var reading = try PostureReading(
                pid: sandbox.child.pid, cgroup: sandbox.cgroup, besides: nursery.templates.pids)
            reading.landlock = sandbox.landlock
            reading.ageMicroseconds = System.monotonicMicroseconds - sandbox.began
            return PostureRows(reading: reading, walls: walls, uid: sandbox.uid, own: own).all()
        } catch {
            // It ended while it was looked at.
            if error.isMissing || error.errno == ESRCH { throw gone }
            throw Refusal(
                code: .host, message: "cannot look at a sandbox: \(error)", errno: error.errno)
        }
    }
}
