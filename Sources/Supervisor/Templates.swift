import Kernel
import Policy
import Sandbox

/// Trees that are ready, by what they are made of; the one unused longest goes first.
struct Templates {
    private struct Key: Hashable {
        let profile: String
        let tree: TreePlan
    }
    private struct Entry {
        let template: Template
        var used: UInt64
    }

    let launcher: String
    let root: String
    private let filters: [String: SystemCallFilter]
    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0

    /// Compiles every profile; a mistake in one keeps the supervisor from starting.
    init(
        launcher: String, root: String, profiles: [String: SyscallProfile]
    ) throws(SandboxError) {
        self.launcher = launcher
        self.root = root
        var filters: [String: SystemCallFilter] = [:]
        for (name, profile) in profiles {
            filters[name] = try SystemCallFilter(compiling: profile)
        }
        self.filters = filters
    }

    /// The filter of a profile.
    func filter(_ profile: String) throws(SandboxError) -> SystemCallFilter {
        guard let filter = filters[profile] else {
            throw SandboxError(
                step: "compile-filter", cause: "no system call profile is named '\(profile)'",
                hint: "see policies/syscalls/")
        }
        return filter
    }

    /// The zygote for a tree, started when there is none.
    mutating func template(_ tree: TreePlan, profile: String) throws(SandboxError) -> Template {
        let filter = try filter(profile)
        clock += 1
        let key = Key(profile: profile, tree: tree)
        if let entry = entries[key] {
            entries[key]?.used = clock
            return entry.template
        }
        if entries.count >= Limit.templates,
            let oldest = entries.min(by: { $0.value.used < $1.value.used })
        {
            entries[oldest.key] = nil
        }
        let template = try Template(launcher: launcher, root: root, tree: tree, filter: filter)
        entries[key] = Entry(template: template, used: clock)
        return template
    }

    /// Lets go of a zygote that did not answer as it should.
    mutating func discard(_ template: Template) {
        entries = entries.filter { $0.value.template !== template }
    }

    /// Lets go of zygotes whose tree shows something below a host directory that is done with.
    mutating func forget(mounting directory: String) {
        entries = entries.filter { entry in
            !entry.key.tree.mounts.contains { $0.source.hasPrefix(directory + "/") }
        }
    }

    /// Lets go of all.
    mutating func empty() { entries = [:] }
}
