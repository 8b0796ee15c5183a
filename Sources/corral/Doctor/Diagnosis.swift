internal import Configuration
internal import JSONRPC
internal import Kernel
internal import Policy
internal import RunCards
internal import YAML

/// What this host offers beside what the policies and cards need. Pure.
struct Diagnosis: Equatable {
    /// One policy or card, and what it misses.
    struct Need: Equatable {
        /// `policy` or `card`.
        let kind: String
        let name: String
        let state: Finding.State
        /// What it needs.
        var features: [Feature] = []
        /// What its policy does without, each with the place where that is typed.
        var off: [String] = []
        /// What is not as it needs it, in one line.
        let lacks: String
    }

    let findings: [Finding]
    let needs: [Need]

    /// What every sandbox needs, whatever its policy says.
    static let walls: [Feature] = [
        .kernel, .capabilities, .limits, .controllers, .groups, .namespaces, .userNamespaces,
        .seccomp, .systemCalls,
        .swap, .libraries, .sandboxUsers,
    ]
    /// What installing packages needs beside that.
    static let installation: [Feature] = [.python, .idMapping, .disk, .gateway]

    /// Compares; `set` is nil when the files cannot be used, which is a finding of its own, and
    /// `absent` are the paths of the policies and cards that are not on this host.
    init(
        _ findings: [Finding], set: PolicySet?, absent: Set<String>, disks: DiskNeeds = DiskNeeds()
    ) {
        self.findings = findings
        let states = Dictionary(
            findings.map { ($0.feature, $0.state) }, uniquingKeysWith: { max($0, $1) })
        var needs: [Need] = []
        for policy in (set?.policies.values.map { $0 } ?? []).sorted(by: { $0.name < $1.name }) {
            needs.append(
                Self.need("policy", policy.name, Self.features(policy), states, of: policy)
                    .with(disks.verdict(policy))
                    .without(Self.paths(policy).filter(absent.contains), .warning))
        }
        for card in (set?.cards.values.map { $0 } ?? []).sorted(by: { $0.name < $1.name }) {
            let features = Self.features(card, set?.narrowed[card.name])
            needs.append(
                Self.need("card", card.name, features, states, of: set?.narrowed[card.name])
                    .with(set?.narrowed[card.name].flatMap(disks.verdict))
                    .without(Self.program(card).filter(absent.contains), .missing))
        }
        self.needs = needs
    }

    /// Whether everything that policies and cards need is here.
    var isWell: Bool {
        let walls = findings.filter { Self.walls.contains($0.feature) || $0.isOfFiles }
        return !walls.contains { $0.state == .missing } && !needs.contains { $0.state == .missing }
    }

    /// What a policy's sandboxes need.
    static func features(_ policy: Policy) -> [Feature] {
        walls + (policy.landlock == .off ? [] : [.landlock])
            + (policy.timeNamespace == .off ? [] : [.timeNamespace])
            + (policy.limits.io == nil ? [] : [.diskLimits])
            + (policy.network.isNetworked ? [.gateway] : [])
    }

    /// What a policy does without because somebody typed it there.
    static func off(_ policy: Policy) -> [String] {
        let walls = [("landlock", policy.landlock), ("time_namespace", policy.timeNamespace)]
        return walls.filter { $0.1 == .off }.map { "\($0.0): off (\(policy.place(of: $0.0)))" }
    }

    /// What a card needs, that of its policy included.
    static func features(_ card: RunCard, _ policy: Policy?) -> [Feature] {
        var features = policy.map(Self.features) ?? walls
        if card.install != nil { features += installation }
        if card.settings.contains(where: { $0.kind == .directory && $0.writable }) {
            features.append(.idMapping)
        }
        return features
    }

    /// The host paths that a policy lists.
    static func paths(_ policy: Policy) -> [String] {
        policy.filesystem.read + policy.filesystem.write
    }

    /// The program of a card whose command is on the host already.
    static func program(_ card: RunCard) -> [String] {
        card.command.prefix(1).filter { $0.hasPrefix("/") && !$0.contains("{") }
    }

    private static func need(
        _ kind: String, _ name: String, _ features: [Feature], _ states: [Feature: Finding.State],
        of policy: Policy?
    ) -> Need {
        let lacking = Feature.allCases.filter {
            features.contains($0) && states[$0, default: .missing] == .missing
        }
        return Need(
            kind: kind, name: name, state: lacking.isEmpty ? .ok : .missing,
            features: Feature.allCases.filter(features.contains),
            off: policy.map(Self.off) ?? [], lacks: lacking.map(\.rawValue).joined(separator: ", "))
    }
}

extension Diagnosis.Need {
    /// The same with what `limits.io` comes to.
    fileprivate func with(_ disks: DiskNeeds.Verdict?) -> Self {
        guard let disks else { return self }
        let lacks = [self.lacks, disks.lacks ?? ""].filter { !$0.isEmpty }
        return Self(
            kind: kind, name: name, state: disks.lacks == nil ? state : .missing,
            features: features, off: off + disks.notes, lacks: lacks.joined(separator: "; "))
    }

    /// The same when paths are not on the host.
    fileprivate func without(_ paths: [String], _ worse: Finding.State) -> Self {
        guard !paths.isEmpty else { return self }
        let note = "not on this host: " + paths.joined(separator: ", ")
        return Self(
            kind: kind, name: name, state: max(state, worse), features: features, off: off,
            lacks: lacks.isEmpty ? note : lacks + "; " + note)
    }
}

extension Finding {
    /// Files with mistakes say nothing of what they need: that is never well.
    fileprivate var isOfFiles: Bool { feature == .configuration }

    /// The finding for programs.
    var json: JSON {
        var object: JSONObject = [
            "feature": .string(feature.rawValue), "state": .string(state.rawValue),
            "found": .string(found),
        ]
        object["remedy"] = remedy.map(JSON.string)
        return .object(object)
    }
}

extension Diagnosis {
    /// The diagnosis for programs.
    var json: JSON {
        [
            "ok": .bool(isWell), "findings": .array(findings.map(\.json)),
            "needs": .array(
                needs.map { need in
                    [
                        "kind": .string(need.kind), "name": .string(need.name),
                        "state": .string(need.state.rawValue), "lacks": .string(need.lacks),
                        "needs": .array(need.features.map { .string($0.rawValue) }),
                        "off": .array(need.off.map(JSON.string)),
                    ]
                }),
        ]
    }
}
