import Kernel
import Sandbox
import SupervisorProtocol

/// Compares what the kernel says of a sandbox with what its policy wants. Pure.
struct PostureRows {
    let reading: PostureReading
    let walls: Walls
    let uid: UInt32
    let own: Posture.Own

    /// Every comparison, in the order in which it is told.
    func all() -> [PostureRow] {
        namespaces() + identity() + privilege() + confinement() + limits() + times() + resources()
            + network() + mounts() + descriptors() + processes()
    }

    /// The process that is looked at: the tool, or pid 1 when there is none any more.
    private var process: PostureReading.Process { reading.tool ?? reading.initial }

    func row(
        _ group: String, _ name: String, _ wanted: String, _ found: String, _ ok: Bool? = nil
    ) -> PostureRow {
        PostureRow(
            group: group, name: Self.cut(name), wanted: Self.cut(wanted), found: Self.cut(found),
            ok: ok ?? (wanted == found))
    }

    /// So short that all rows fit one message.
    private static func cut(_ text: String) -> String {
        guard text.utf8.count > Limit.postureBytes else { return text }
        return String(decoding: text.utf8.prefix(Limit.postureBytes), as: UTF8.self) + "…"
    }

    private func namespaces() -> [PostureRow] {
        let shared = Posture.shared(process.namespaces, own)
        let sharedByInit = Posture.shared(
            reading.initial.namespaces, own,
            except: walls.off["time_namespace"] == nil ? [] : ["time"])
        var rows = Posture.namespaces.map { kind in
            let found = process.namespaces[kind] ?? "none"
            if kind == "time", let place = walls.off["time_namespace"] {
                return row("namespaces", kind, "off (\(place))", "the host's: " + found, true)
            }
            // One sandbox, one set of them: pid 1 has the same.
            if found != reading.initial.namespaces[kind] {
                return row("namespaces", kind, "its own", "not that of pid 1: " + found, false)
            }
            let ok = !shared.contains(kind)
            return row("namespaces", kind, "its own", ok ? found : "the host's: " + found, ok)
        }
        rows.append(
            row(
                "namespaces", "pid 1", "its own",
                sharedByInit.isEmpty
                    ? "its own" : "the host's " + sharedByInit.joined(separator: ", ")))
        return rows
    }

    private func identity() -> [PostureRow] {
        let map = "\(RootTree.userID) \(uid) 1"
        let status = Posture.fields(process.status)
        let ids = Array(repeating: String(uid), count: 4).joined(separator: " ")
        return [
            row("identity", "uid", ids, words(status["Uid"])),
            row("identity", "gid", ids, words(status["Gid"])),
            row("identity", "groups", "", words(status["Groups"])),
            row("identity", "uid map", map, words(process.uidMap)),
            row("identity", "gid map", map, words(process.gidMap)),
            row("identity", "project map", map, words(process.projectMap)),
            row("identity", "setgroups", "deny", words(process.setgroups)),
        ]
    }

    private func privilege() -> [PostureRow] {
        let status = Posture.fields(process.status)
        let none = Posture.wanted(uid: uid)
        var rows = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map { name in
            row("privilege", name, none[name] ?? "", words(status[name]))
        }
        rows.append(row("privilege", "no new privileges", "1", words(status["NoNewPrivs"])))
        // Told, because nothing shows it: prctl(2) answers a process about itself alone.
        rows.append(
            row(
                "privilege", "securebits", "",
                "locked before pid 1 could report; the kernel does not show them", true))
        // The tool is executed afresh, which makes it traceable again: by its own uid alone.
        let hidden = reading.initialOwner == 0
        rows.append(row("privilege", "pid 1 traceable", "no", hidden ? "no" : "yes"))
        let terminal = Self.terminal(process.stat)
        rows.append(
            row("privilege", "controlling terminal", "none", terminal == 0 ? "none" : "one"))
        return rows
    }

    private func confinement() -> [PostureRow] {
        let status = Posture.fields(process.status)
        let filters = Int(words(status["Seccomp_filters"])) ?? 0
        let off = walls.off["landlock"].map { "off (\($0))" }
        let told =
            reading.landlock > 0
            ? "ABI \(reading.landlock), told by pid 1 at the start; the kernel does not show it"
            : "its pid 1 told of none at the start"
        return [
            row("system calls", "mode", "2", words(status["Seccomp"])),
            row(
                "system calls", "filters", "\(own.leastFilters) or more", String(filters),
                filters >= own.leastFilters),
            row(
                "landlock", "version", off ?? "1 or more", told,
                off != nil || reading.landlock > 0),
        ]
    }

    private func limits() -> [PostureRow] {
        let rows = reading.holdings.map { row("cgroup", $0.file, $0.wanted, $0.found, $0.holds) }
        guard !walls.unlimitedDisks.isEmpty else { return rows }
        let told = "not limited: " + walls.unlimitedDisks.joined(separator: ", ")
        return rows + [row("cgroup", "limits.io", "", told, true)]
    }

    /// What ends it by time: a second more than the policy says is where corrald looks.
    private func times() -> [PostureRow] {
        func rows(_ name: String, _ most: Int?, _ found: UInt64) -> [PostureRow] {
            guard let most else { return [] }
            let seconds = Int(found / 1_000_000)
            return [row("time", name, "\(most) s at most", "\(seconds) s", seconds <= most + 1)]
        }
        return rows("cpu, all processes", walls.cpuSeconds, reading.cpuMicroseconds)
            + rows("life", walls.lifeSeconds, reading.ageMicroseconds)
    }

    private func resources() -> [PostureRow] {
        let found = OwnLimits.hard(limits: process.limits)
        func words(_ limit: Int) -> String { limit < 0 ? "unlimited" : String(limit) }
        var rows = wantedLimits.map { limit in
            row(
                "resources", limit.words,
                limit.range.count == 1
                    ? "\(limit.range.upperBound)"
                    : "\(limit.range.upperBound) at most", found[limit.name].map(words) ?? "none",
                limit.holds(found))
        }
        // Of the rest, which the cgroup makes up for, it is told what it has inherited.
        let wanted = Set(wantedLimits.map(\.name))
        for (name, limit) in found.sorted(by: { $0.key < $1.key }) where !wanted.contains(name) {
            rows.append(row("resources", String(name.dropFirst(4)), "", words(limit), true))
        }
        let score = Int(self.words(process.oomScore)) ?? 0
        rows.append(row("resources", "oom score", "500 or more", String(score), score >= 500))
        return rows
    }

    private func mounts() -> [PostureRow] {
        MountRows(reading.mounts, walls).all().map {
            row("mounts", $0.name, $0.wanted, $0.found, $0.ok)
        }
    }

    /// A tool may open and close what it likes: its descriptors are told, not judged.
    private func descriptors() -> [PostureRow] {
        let ofInit = reading.initial.descriptors.keys.sorted().map(String.init)
        var rows = [
            row("descriptors", "pid 1", "0", ofInit.joined(separator: ", "))
        ]
        let open = process.descriptors.sorted { $0.key < $1.key }
        for (number, target) in open.prefix(Limit.postureDescriptors) {
            rows.append(row("descriptors", String(number), "", target, true))
        }
        if open.count > Limit.postureDescriptors {
            let more = "\(open.count - Limit.postureDescriptors) more"
            rows.append(row("descriptors", "…", "", more, true))
        }
        return rows
    }
}

extension PostureRows {
    /// The words of a text, one space between them.
    func words(_ text: String?) -> String {
        (text ?? "").split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// The number of the controlling terminal in /proc/PID/stat, 0 for none; its second field may
    /// hold anything, parentheses and spaces included.
    static func terminal(_ stat: String) -> Int? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        return fields.count > 4 ? Int(fields[4]) : nil
    }
}
