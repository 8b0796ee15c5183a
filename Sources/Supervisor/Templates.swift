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
    private var profiles: [String: SyscallProfile]
    private var filters: [String: SystemCallFilter]
    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0

    /// Compiles every profile; a mistake in one keeps the supervisor from starting.
    init(
        launcher: String, root: String, profiles: [String: SyscallProfile]
    ) throws(SandboxError) {
        self.launcher = launcher
        self.root = root
        self.profiles = [:]
        filters = [:]
        filters = try compile(profiles)
        self.profiles = profiles
    }

    /// Compiles what is not compiled yet; nothing changes by it.
    private func compile(
        _ new: [String: SyscallProfile]
    ) throws(SandboxError) -> [String: SystemCallFilter] {
        var compiled: [String: SystemCallFilter] = [:]
        for (name, profile) in new {
            if profiles[name] == profile, let known = filters[name] {
                compiled[name] = known
            } else {
                compiled[name] = try SystemCallFilter(compiling: profile)
            }
        }
        return compiled
    }

    /// Takes profiles that were read anew, all of them or, when one is unfit or one of `needed` is
    /// missing, none; lets go of zygotes with others, and of those whose trees `isStale` names.
    mutating func adopt(
        _ new: [String: SyscallProfile], needed: [String], isStale: ([String]) -> Bool
    ) throws(SandboxError) {
        let compiled = try compile(new)
        for name in needed where compiled[name] == nil { throw Self.missing(name) }
        let stale = entries.filter { key, _ in
            new[key.profile] != profiles[key.profile] || isStale(key.tree)
        }
        for (key, entry) in stale {
            entry.template.end()
            entries[key] = nil
        }
        profiles = new
        filters = compiled
    }

    private static func missing(_ profile: String) -> SandboxError {
        SandboxError(
            step: "compile-filter", cause: "no system call profile is named '\(profile)'",
            hint: "see policies/syscalls/")
    }

    /// The filter of a profile.
    func filter(_ profile: String) throws(SandboxError) -> SystemCallFilter {
        guard let filter = filters[profile] else { throw Self.missing(profile) }
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
