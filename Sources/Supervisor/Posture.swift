import Kernel
import Sandbox

/// The look from outside before a tool's first byte: what the kernel itself says of the process.
enum Posture {
    /// Namespaces that are a sandbox's own, by the names of /proc/PID/ns.
    static let namespaces = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"]

    /// What of a process's own surroundings others are compared with.
    struct Own: Sendable, Equatable {
        /// Kind → `kind:[inode]`.
        var namespaces: [String: String]
        /// The same as numbers, in the order of `Posture.namespaces`.
        var numbers: [UInt64] = []
        /// System call filters that this process has, and so all it starts.
        var filters: Int
        /// How many each process of a sandbox has at least.
        var leastFilters: Int { filters + SystemCallFilter.partCount }

        /// Looks at this process.
        static func read() throws(KernelError) -> Own {
            let status = fields(try Files.text("/proc/self/status"))
            return Own(
                namespaces: try readNamespaces(of: "self", time: "time"),
                numbers: try Posture.look(at: System.pid).namespaces,
                filters: Posture.filters(status))
        }
    }

    /// Compares /proc/PID/status and /proc/PID/ns (proc(5)) of a sandbox's pid 1 with what every
    /// sandbox must have, but for the namespaces that its plan keeps.
    ///
    /// False when the process is already on its way out: it has let go of its namespaces, so their
    /// links are gone (ENOENT), and nothing can be said of it any more.
    static func verify(
        pid: Int32, uid: UInt32, own: Own, keeping: Set<String>
    ) throws(SandboxError) -> Bool {
        let found: System.Look
        do throws(KernelError) {
            found = try look(at: pid)
        } catch {
            throw SandboxError(step: "verify", error)
        }
        let numbers = found.namespaces
        guard !numbers.contains(0) else { return false }
        let shared = namespaces.indices.filter { index in
            numbers[index] == own.numbers[index] && !keeping.contains(namespaces[index])
        }
        if shared.isEmpty, holds(found.status, uid: uid, filters: own.leastFilters) { return true }
        let status = String(decoding: found.status, as: UTF8.self)
        var wrong = differences(status, uid: uid) + shared.map { "the \(namespaces[$0]) namespace" }
        if filters(fields(status)) < own.leastFilters { wrong.append("Seccomp_filters") }
        guard wrong.isEmpty else {
            throw SandboxError(
                step: "verify",
                cause: "the kernel does not enforce \(wrong.joined(separator: ", "))",
                hint: "this must not happen: please report it with the output of 'corral doctor'")
        }
        return true
    }

    private static func look(at pid: Int32) throws(KernelError) -> System.Look {
        try System.look(at: pid, namespaceWords, count: namespaces.count)
    }

    private static let namespaceWords = namespaces.joined(separator: " ")

    /// Whether a status has each field as it must be, in the very lines that this kernel writes:
    /// what `differences` finds nothing in, for a fraction of its time. False when it cannot tell.
    static func holds(_ status: [UInt8], uid: UInt32, filters: Int) -> Bool {
        let ids = "\t\(uid)\t\(uid)\t\(uid)\t\(uid)\n"
        let none = "\t0000000000000000\n"
        var rest = status[...]
        // In the order in which they are written.
        return [
            "\nUid:" + ids + "Gid:" + ids, "\nGroups:\t \n",
            "\nCapInh:" + none + "CapPrm:" + none + "CapEff:" + none + "CapBnd:" + none
                + "CapAmb:" + none + "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t\(filters)\n",
        ].allSatisfy { pass($0, in: &rest) }
    }

    /// Goes on behind the first place where a text stands; false when it stands nowhere.
    private static func pass(_ text: String, in rest: inout ArraySlice<UInt8>) -> Bool {
        let wanted = Array(text.utf8)
        while let start = rest.firstIndex(of: wanted[0]) {
            rest = rest[start...]
            if rest.starts(with: wanted) {
                // The line's end begins the next one too.
                rest = rest.dropFirst(wanted.count - 1)
                return true
            }
            rest = rest.dropFirst()
        }
        return false
    }

    /// How many system call filters a status tells of.
    static func filters(_ fields: [String: String]) -> Int {
        Int(fields["Seccomp_filters"] ?? "") ?? 0
    }

    /// The namespaces of a process; pid 1 stays in its host's time namespace, and only its children
    /// are born into their own (time_namespaces(7)), so `time` says which link is meant.
    static func readNamespaces(
        of process: String, time: String
    ) throws(KernelError) -> [String: String] {
        var found: [String: String] = [:]
        for kind in namespaces {
            let link = kind == "time" ? time : kind
            found[kind] = try Files.linkTarget("/proc/\(process)/ns/\(link)")
        }
        return found
    }

    /// The pure part: names of fields whose value is not as it must be.
    static func differences(_ status: String, uid: UInt32) -> [String] {
        let wanted = wanted(uid: uid)
        var agreeing: Set<String> = []
        var wrong: Set<String> = []
        for line in status.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = String(line[..<colon])
            guard let value = wanted[name] else { continue }
            if value == self.value(line[line.index(after: colon)...]) {
                agreeing.insert(name)
            } else {
                wrong.insert(name)
            }
        }
        return wrong.union(wanted.keys.filter { !agreeing.contains($0) }).sorted()
    }

    /// The fields of /proc/PID/status that every process of a sandbox must have.
    static func wanted(uid: UInt32) -> [String: String] {
        let none = "0000000000000000"
        let ids = Array(repeating: String(uid), count: 4).joined(separator: "\t")
        return [
            "Uid": ids, "Gid": ids, "Groups": "", "NoNewPrivs": "1", "Seccomp": "2",
            "CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none,
        ]
    }

    /// Namespaces that are not a sandbox's own: the same as ours, or not told.
    static func shared(
        _ found: [String: String], _ own: Own, except: Set<String> = []
    ) -> [String] {
        namespaces.filter { kind in
            guard !except.contains(kind) else { return false }
            guard let its = found[kind] else { return true }
            return its == own.namespaces[kind]
        }
    }

    /// `Name: value` lines without the space around values.
    static func fields(_ status: String) -> [String: String] {
        var found: [String: String] = [:]
        for line in status.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            found[String(parts[0])] = value(parts[1])
        }
        return found
    }

    /// What stands behind a colon, without the space around it.
    private static func value(_ text: Substring) -> String {
        var value = text.drop { $0 == "\t" || $0 == " " }
        while value.last == " " { value.removeLast() }
        return String(value)
    }
}
