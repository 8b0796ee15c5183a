import Kernel
import Sandbox
import SupervisorProtocol

/// The walls around every process of a sandbox, not only around its tool.
extension PostureRows {
    /// A resource limit that must hold.
    struct WantedLimit {
        /// As in /proc/PID/limits: `Max open files`.
        let name: String
        /// Where the hard limit may lie.
        let range: ClosedRange<Int>
        var words: String { String(name.dropFirst(4)) }

        func holds(_ found: [String: Int]) -> Bool { found[name].map(range.contains) ?? false }
    }

    /// The resource limits of every process.
    var wantedLimits: [WantedLimit] {
        [
            // A second more than the policy says, in which the tool is told that time is over.
            WantedLimit(name: "Max cpu time", range: 0...walls.cpuSeconds + 1),
            WantedLimit(name: "Max file size", range: 0...walls.fileBytes),
            WantedLimit(name: "Max open files", range: 0...walls.openFiles),
            // Neither a file, nor the host's handler (core(5)).
            WantedLimit(name: "Max core file size", range: 1...1),
            WantedLimit(name: "Max locked memory", range: 0...0),
            WantedLimit(name: "Max msgqueue size", range: 0...0),
            WantedLimit(name: "Max nice priority", range: 0...0),
            WantedLimit(name: "Max realtime priority", range: 0...0),
        ]
            + (walls.addressBytes > 0
                ? [WantedLimit(name: "Max address space", range: 0...walls.addressBytes)] : [])
    }

    /// One comparison for pid 1, one for all others together, and one for each that differs.
    func processes() -> [PostureRow] {
        var rows = [("pid 1", reading.initial), ("the tool", reading.tool)].compactMap {
            name, one in
            one.map { judged(name, weaknesses(of: $0)) }
        }
        let wrong = reading.others.compactMap { one in
            let weak = weaknesses(of: one)
            return weak.isEmpty ? nil : (pid: one.pid, weak: weak)
        }
        let count = reading.others.count
        let found = count == 0 ? "none" : "\(count - wrong.count) of \(count) confined"
        rows.append(row("processes", "others", "confined", found, wrong.isEmpty))
        rows += wrong.prefix(Limit.postureStrangers).map { judged("pid \($0.pid)", $0.weak) }
        if reading.isCut {
            rows.append(row("processes", "…", "confined", "more than were looked at", false))
        }
        return rows
    }

    private func judged(_ name: String, _ weak: [String]) -> PostureRow {
        row(
            "processes", name, "confined",
            weak.isEmpty ? "confined" : "differs in " + weak.joined(separator: ", "), weak.isEmpty)
    }

    /// What a process has less of than every process of a sandbox must, by name.
    private func weaknesses(of one: PostureReading.Process) -> [String] {
        var weak = Posture.differences(one.status, uid: uid)
        let filters = Int(words(Posture.fields(one.status)["Seccomp_filters"])) ?? 0
        if filters < own.leastFilters { weak.append("filters") }
        for kind in Posture.namespaces
        where one.namespaces[kind] == nil
            || one.namespaces[kind] != reading.initial.namespaces[kind]
        {
            weak.append("the \(kind) namespace")
        }
        let limits = OwnLimits.hard(limits: one.limits)
        weak += wantedLimits.filter { !$0.holds(limits) }.map(\.words)
        if Int(words(one.oomScore)).map({ $0 < 500 }) ?? true { weak.append("oom score") }
        if Self.terminal(one.stat) != 0 { weak.append("controlling terminal") }
        if !reading.members.contains(one.pid) { weak.append("the cgroup") }
        return weak
    }
}
