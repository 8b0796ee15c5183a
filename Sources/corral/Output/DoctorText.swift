internal import Control

/// A diagnosis in words.
enum DoctorText {
    /// What `corral doctor` prints.
    static func lines(_ diagnosis: Diagnosis, _ screen: Screen) -> [String] {
        var host = Table(["THIS HOST", "STATE", "FOUND"])
        for finding in diagnosis.findings {
            host.add(
                .init(finding.feature.rawValue), .init(finding.state.rawValue, finding.state.tint),
                .init(finding.found))
        }
        var lines = host.lines(screen)
        if !diagnosis.needs.isEmpty {
            var needs = Table(["NEEDED BY", "STATE", "BESIDE EVERY WALL", "LACKS"])
            for need in diagnosis.needs {
                needs.add(
                    .init("\(need.kind) \(need.name)"), .init(need.state.rawValue, need.state.tint),
                    .init(words(need)), .init(need.lacks))
            }
            lines += [""] + needs.lines(screen)
        }
        let remedies = remedies(diagnosis)
        if !remedies.isEmpty { lines += ["", "to do:"] + remedies.map { "  " + sanitized($0) } }
        return lines + ["", verdict(diagnosis, screen)]
    }

    /// What it needs beside what every sandbox does, and which walls its policy leaves out.
    private static func words(_ need: Diagnosis.Need) -> String {
        let walls = Diagnosis.walls + [.landlock, .timeNamespace]
        let more = need.features.filter { !walls.contains($0) }.map(\.rawValue)
        // What a policy does without, its cards do as well.
        return (more + (need.kind == "policy" ? need.off : [])).joined(separator: ", ")
    }

    /// Each command once, with what it is for.
    private static func remedies(_ diagnosis: Diagnosis) -> [String] {
        var features: [String: [String]] = [:]
        var order: [String] = []
        for finding in diagnosis.findings where finding.state != .ok {
            guard let remedy = finding.remedy else { continue }
            if features[remedy] == nil { order.append(remedy) }
            features[remedy, default: []].append(finding.feature.rawValue)
        }
        return order.map { "\(features[$0, default: []].joined(separator: ", ")): \($0)" }
    }

    private static func verdict(_ diagnosis: Diagnosis, _ screen: Screen) -> String {
        guard diagnosis.isWell else {
            return screen.paint("something is missing: sandboxes will be refused", .red)
        }
        let isSure = diagnosis.findings.allSatisfy { $0.state == .ok }
        return screen.paint(
            isSure ? "all is well" : "nothing is missing that a sandbox needs",
            isSure ? .green : .yellow)
    }
}

extension Finding.State {
    fileprivate var tint: Screen.Tint {
        switch self {
        case .ok: .green
        case .warning: .yellow
        case .missing: .red
        }
    }
}
