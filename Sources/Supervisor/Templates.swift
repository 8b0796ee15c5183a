import Kernel
import Policy
import Sandbox

/// A tree by name, and how to describe it when it is not ready yet: describing one asks the host
/// about every path in it, which a start has no time for.
struct TreeSource {
    /// What it is made for; equal names mean equal trees.
    let name: [String]
    let describe: () throws(SandboxError) -> TreePlan
}

/// Trees that are ready, by what they are made of; the one unused longest goes first.
struct Templates {
    private struct Key: Hashable {
        let profile: String
        let tree: [String]
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
    mutating func template(
        _ tree: TreeSource, profile: String
    ) throws(SandboxError) -> Template {
        clock += 1
        let key = Key(profile: profile, tree: tree.name)
        if let entry = entries[key] {
            entries[key]?.used = clock
            return entry.template
        }
        let filter = try filter(profile)
        let plan = try tree.describe()
        if entries.count >= Limit.templates,
            let oldest = entries.min(by: { $0.value.used < $1.value.used })
        {
            entries[oldest.key] = nil
        }
        let template = try Template(launcher: launcher, root: root, tree: plan, filter: filter)
        entries[key] = Entry(template: template, used: clock)
        return template
    }

    /// Lets go of a zygote that did not answer as it should.
    mutating func discard(_ template: Template) {
        template.end()
        entries = entries.filter { $0.value.template !== template }
    }

    /// Whether a zygote may still be used.
    func contains(_ template: Template) -> Bool {
        entries.values.contains { $0.template === template }
    }

    /// The pids of all.
    var pids: Set<Int32> { Set(entries.values.map(\.template.pid)) }

    /// Lets go of the zygotes of a tree that is done with.
    mutating func forget(_ name: [String]) {
        entries = entries.filter { $0.key.tree != name }
    }

    /// Lets go of all.
    mutating func empty() {
        for entry in entries.values { entry.template.end() }
        entries = [:]
    }
}
