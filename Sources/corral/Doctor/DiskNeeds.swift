internal import Configuration
internal import Kernel
internal import Policy

/// What `limits.io` of the policies and cards comes to on this host.
struct DiskNeeds: Equatable {
    /// What is to be told of one.
    struct Verdict: Equatable {
        /// What it does not limit.
        var notes: [String]
        /// Why its sandboxes are refused, if they are.
        var lacks: String?
    }

    private var countsWriteback = true
    /// By the paths that a policy lists.
    private var disks: [[String]: Disks] = [:]

    /// Of policies that have no `limits.io`.
    init() {}

    /// Looks where the paths are.
    init(_ set: PolicySet?, _ version: CgroupHost.Version?) {
        countsWriteback = version != .v1
        let known = set.map { Array($0.policies.values) + Array($0.narrowed.values) } ?? []
        for policy in known where policy.limits.io != nil {
            let paths = Diagnosis.paths(policy)
            // Only root may look at every path; what nobody could look at is not told.
            do throws(KernelError) { disks[paths] = try Disks(below: paths) } catch { continue }
        }
    }

    /// The pure part.
    init(_ disks: [[String]: Disks], countsWriteback: Bool) {
        self.disks = disks
        self.countsWriteback = countsWriteback
    }

    /// Of one policy, as a card narrows it or not; nil without `limits.io`.
    func verdict(_ policy: Policy) -> Verdict? {
        guard let io = policy.limits.io else { return nil }
        let place = policy.place(of: "limits.io")
        var verdict = Verdict(notes: [])
        if !countsWriteback, io.write != nil || io.writes != nil {
            verdict.notes.append(
                "limits.io: not of writes that the kernel does later, as with version 1 (\(place))")
        }
        guard let found = disks[Diagnosis.paths(policy)] else { return verdict }
        let reasons = found.without.joined(separator: ", ")
        if found.numbers.isEmpty {
            verdict.lacks = "limits.io (\(place)): nothing is on a disk: \(reasons)"
        } else if !reasons.isEmpty {
            verdict.notes.append("limits.io: not of \(reasons) (\(place))")
        }
        return verdict
    }
}
