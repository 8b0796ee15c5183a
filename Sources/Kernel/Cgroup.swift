import CKernel
import Glibc

/// The cgroup of one sandbox, in one hierarchy (version 2) or several (version 1).
public struct Cgroup: Sendable {
    /// What the kernel enforces on all processes of the group together.
    public struct Limits: Sendable, Equatable {
        /// Memory in bytes, swap included.
        public var memoryBytes: Int
        /// Processes and threads.
        public var processes: Int
        /// CPU in thousandths of a core.
        public var cpuMillicores: Int
        /// How fast disks may be read and written; nil for as fast as they are.
        public var disks: DiskRates?

        /// States the limits of one sandbox.
        public init(
            memoryBytes: Int, processes: Int, cpuMillicores: Int, disks: DiskRates? = nil
        ) {
            self.memoryBytes = memoryBytes
            self.processes = processes
            self.cpuMillicores = cpuMillicores
            self.disks = disks
        }
    }

    /// What the group has used and met so far.
    public struct Usage: Sendable, Equatable {
        /// CPU time in microseconds.
        public var cpuMicroseconds: UInt64 = 0
        /// The most memory held at once, in bytes.
        public var memoryPeakBytes: UInt64 = 0
        /// Processes the kernel killed for lack of memory.
        public var memoryKills: UInt64 = 0
        /// Forks refused.
        public var processRefusals: UInt64 = 0
    }

    struct Place: Sendable {
        let path: String
        let controllers: Set<String>
    }

    /// The scheduler period that the CPU limit is a share of, in microseconds.
    private static let cpuPeriod = 100_000
    let version: CgroupHost.Version
    let places: [Place]
    /// The limits it was made with.
    public let limits: Limits

    func create() throws(CgroupError) {
        for place in places {
            try step("create") { () throws(KernelError) in
                _ = try check("mkdir", place.path) { unsafe mkdir(place.path, 0o755) }
            }
        }
        for setting in settings {
            if setting.isOptional, try !has(setting) {
                try refuseUncountedSwap()
                continue
            }
            try write(setting.controller, setting.file, setting.value)
        }
    }

    /// One limit as the kernel's files have it.
    struct Setting {
        let controller: String
        let file: String
        let value: String
        /// Absent where the kernel has no swap support, and then there is no swap to limit.
        var isOptional = false
        /// The word that begins its line, where the file has several.
        var line: String?

        init(
            _ file: String, _ value: some CustomStringConvertible, isOptional: Bool = false,
            line: String? = nil
        ) {
            self.line = line
            controller = String(file.prefix { $0 != "." })
            self.file = file
            self.value = value.description
            self.isOptional = isOptional
        }
    }

    /// The limits in the order in which they are set.
    private var settings: [Setting] {
        let quota = limits.cpuMillicores * Self.cpuPeriod / 1000
        switch version {
        case .v2:
            return [
                Setting("memory.max", limits.memoryBytes),
                Setting("memory.swap.max", 0, isOptional: true),
                Setting("memory.oom.group", 1), Setting("pids.max", limits.processes),
                Setting("cpu.max", "\(quota) \(Self.cpuPeriod)"),
            ] + diskSettings
        case .v1:
            return [
                // Memory first: the sum with swap may not be below it.
                Setting("memory.limit_in_bytes", limits.memoryBytes),
                Setting("memory.memsw.limit_in_bytes", limits.memoryBytes, isOptional: true),
                Setting("pids.max", limits.processes),
                Setting("cpu.cfs_period_us", Self.cpuPeriod),
                Setting("cpu.cfs_quota_us", quota),
            ] + diskSettings
        }
    }

    /// A limit as it was wanted and as the kernel has it.
    public struct Holding: Sendable, Equatable {
        /// The file it stands in: `pids.max`.
        public let file: String
        /// What was written.
        public let wanted: String
        /// What is there.
        public let found: String
        /// Whether it limits as was wanted.
        public var holds: Bool {
            if wanted == found { return true }
            // The kernel counts memory in pages and rounds down; the largest are 64 KiB.
            guard file.hasPrefix("memory."), let most = Int(wanted), let limit = Int(found) else {
                return false
            }
            return limit <= most && limit > most - (64 << 10)
        }
    }

    /// Reads every limit back.
    public func holdings() throws(KernelError) -> [Holding] {
        var holdings: [Holding] = []
        for setting in settings {
            guard let path = path(setting.controller, setting.file) else {
                throw KernelError("open", setting.file, errno: ENOENT)
            }
            if setting.isOptional, try Files.status(path) == nil {
                guard try Self.hasSwap() else { continue }
                holdings.append(
                    Holding(file: setting.file, wanted: setting.value, found: "not counted"))
                continue
            }
            let text = try Files.text(path).split(separator: "\n").first { line in
                setting.line.map { line.hasPrefix($0 + " ") } ?? true
            }
            holdings.append(
                Holding(file: setting.file, wanted: setting.value, found: String(text ?? "")))
        }
        return holdings
    }

    /// Whether a process is in it, in every hierarchy.
    public func contains(_ pid: Int32) throws(KernelError) -> Bool {
        for place in places {
            let members = try Files.text(place.path + "/cgroup.procs").split(separator: "\n")
            if !members.contains(Substring(String(pid))) { return false }
        }
        return true
    }

    /// Descriptors of each `cgroup.procs`: a process that writes "0" there joins.
    public func membershipDescriptors() throws(CgroupError) -> [CInt] {
        var raw: [CInt] = []
        for place in places {
            do throws(KernelError) {
                raw.append(try Descriptor.open(place.path + "/cgroup.procs", O_WRONLY).release())
            } catch {
                for descriptor in raw { _ = close(descriptor) }
                throw CgroupError(step: "join", cause: error.description, hint: Self.hint)
            }
        }
        return raw
    }

    /// Whether a process can be born in the group (clone3(2), CLONE_INTO_CGROUP); else it joins,
    /// and that waits for every processor when nobody has joined anything for a while.
    public var canBearProcesses: Bool { version == .v2 }

    /// The group's directory, for CLONE_INTO_CGROUP.
    public func birthplace() throws(CgroupError) -> CInt {
        do throws(KernelError) {
            return try Descriptor.openPath(places[0].path).release()
        } catch {
            throw CgroupError(step: "join", cause: error.description, hint: Self.hint)
        }
    }

    /// CPU time of all its processes together.
    public func cpuMicroseconds() throws(KernelError) -> UInt64 {
        version == .v2
            ? try field("usage_usec", in: "cpu.stat", of: "cpu")
            : try number("cpuacct.usage", of: "cpuacct") / 1000
    }

    /// Readable once the group has met its memory limit and cannot free enough; nil in version 2,
    /// where the kernel itself ends the whole group (memory.oom.group).
    ///
    /// Version 1 kills one process after another and leaves the rest in a state nobody knows
    /// (Documentation/admin-guide/cgroup-v1/memory.rst, "OOM Control").
    public func memoryAlarm() throws(KernelError) -> Descriptor? {
        guard version == .v1, let control = path("memory", "memory.oom_control"),
            let events = path("memory", "cgroup.event_control")
        else { return nil }
        let alarm = Descriptor(owning: try check("eventfd") { corral_eventfd() })
        let watched = try Descriptor.open(control, O_RDONLY)
        try Files.write("\(alarm.raw) \(watched.raw)", to: events)
        return alarm
    }

    /// Whether no process is left in it.
    public func isEmpty() throws(KernelError) -> Bool {
        for place in places where try !Files.text(place.path + "/cgroup.procs").isEmpty {
            return false
        }
        return true
    }

    /// Removes the group; EBUSY while a process is still on its way out.
    public func remove() throws(KernelError) {
        for place in places { try Files.removeDirectory(place.path) }
    }

    private static let hint = "see 'corral doctor' for what this host offers"

    func path(_ controller: String, _ file: String) -> String? {
        places.first { $0.controllers.contains(controller) }.map { $0.path + "/" + file }
    }

    private func step(
        _ name: String, _ body: () throws(KernelError) -> Void
    ) throws(CgroupError) {
        do throws(KernelError) {
            try body()
        } catch {
            throw CgroupError(step: name, cause: error.description, hint: Self.hint)
        }
    }

    private func has(_ setting: Setting) throws(CgroupError) -> Bool {
        var found = false
        try step("limit-" + setting.controller) { () throws(KernelError) in
            guard let path = path(setting.controller, setting.file) else { return }
            found = try Files.status(path) != nil
        }
        return found
    }

    private func write(
        _ controller: String, _ file: String, _ value: String
    ) throws(CgroupError) {
        try step("limit-" + controller) { () throws(KernelError) in
            guard let path = path(controller, file) else {
                throw KernelError("open", file, errno: ENOENT)
            }
            try Files.write(value, to: path)
        }
    }

    private func number(_ file: String, of controller: String) throws(KernelError) -> UInt64 {
        guard let path = path(controller, file), try Files.status(path) != nil else { return 0 }
        let text = try Files.text(path)
        return UInt64(text.prefix { $0 != "\n" }) ?? 0
    }

    private func field(
        _ name: String, in file: String, of controller: String
    ) throws(KernelError) -> UInt64 {
        guard let path = path(controller, file), try Files.status(path) != nil else { return 0 }
        for line in try Files.text(path).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name { return UInt64(words[1]) ?? 0 }
        }
        return 0
    }
}
