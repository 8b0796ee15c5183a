internal import Control

/// What the network does, in words. Names come from tools: a table makes its cells safe to print.
enum NetText {
    /// What `corral net` prints first.
    static func lines(_ network: ConnectionsNetwork.Result, _ screen: Screen) -> [String] {
        var lines: [String] = []
        if !network.available {
            lines += [screen.paint("there is no way out of sandboxes at present", .red), ""]
        }
        if !network.open.isEmpty { lines += open(network.open, screen) + [""] }
        if network.decisions.isEmpty {
            lines.append("nothing has asked for the network")
        } else {
            lines += decisions(network.decisions, titled: true, screen)
        }
        if network.missed > 0 {
            lines += ["", "\(network.missed) decisions came too fast to be kept"]
        }
        return lines
    }

    private static func open(
        _ open: [ConnectionsNetwork.Open], _ screen: Screen
    ) -> [String] {
        var table = Table(["OPEN", "OF", "AGE", "SENT", "RECEIVED", "TO"])
        for one in open {
            table.add(
                .init(one.id), .init(one.subject), .init(StatusText.duration(one.seconds)),
                .init(size(one.sent)), .init(size(one.received)),
                .init(destination(one.destination, one.name)))
        }
        return table.lines(screen)
    }

    /// One line for each decision.
    static func decisions(
        _ decisions: [NetworkDecision], titled: Bool, _ screen: Screen
    ) -> [String] {
        var table = Table(titled ? ["ID", "WHEN", "OF", "CALL", "VERDICT", "WHAT"] : [])
        for one in decisions {
            let verdict = verdict(one)
            let times = one.count > 1 ? " ×\(one.count)" : ""
            table.add(
                .init(one.id), .init(time(one.time), .dim), .init(one.subject), .init(call(one)),
                .init(verdict + times, one.reason == nil ? .green : .red), .init(what(one)))
        }
        return table.lines(screen)
    }

    /// The verdict in a word or two.
    private static func verdict(_ decision: NetworkDecision) -> String {
        decision.reason.map { "denied: " + (decision.set ?? $0.short) } ?? "allowed"
    }

    /// The call in flight; what runs by itself is told from what a call asked for.
    private static func call(_ decision: NetworkDecision) -> String {
        guard decision.origin == .connection else { return decision.origin.rawValue }
        switch decision.calls {
        case 0: return "none in flight"
        case 1: return decision.tools
        default: return "\(decision.tools) (\(decision.calls) calls)"
        }
    }

    private static func what(_ decision: NetworkDecision) -> String {
        var text = destination(decision.destination, decision.name)
        if decision.kind == .resolve { text = "name \(text)" }
        if let end = decision.ending {
            let moved = "sent \(size(end.sent)), received \(size(end.received))"
            text += ", \(moved) in \(duration(end.microseconds)), \(end.cause)"
        } else if decision.kind == .connect, decision.reason == nil {
            text += ", open"
        }
        if decision.reason != nil, !decision.place.isEmpty { text += ", \(decision.place)" }
        return text
    }

    /// What was dialled, and the name it was given out for.
    static func destination(_ destination: String, _ name: String) -> String {
        name.isEmpty || name == destination ? destination : "\(destination) (\(name))"
    }

    /// The time of day, UTC, of an instant in ISO 8601.
    private static func time(_ instant: String) -> String {
        String(instant.split(separator: "T").last?.prefix(8) ?? "")
    }

    /// Bytes as people read them: `1.5 MiB`.
    static func size(_ bytes: Int) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var tenths = bytes * 10
        var unit = 0
        while tenths >= 10_240, unit + 1 < units.count {
            tenths /= 1024
            unit += 1
        }
        let isWhole = unit == 0 || tenths % 10 == 0
        return (isWhole ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)") + " " + units[unit]
    }

    /// A length of time: `12 ms`, `3 min 5 s`.
    static func duration(_ microseconds: Int) -> String {
        if microseconds < 1_000 { return "\(microseconds) µs" }
        if microseconds < 1_000_000 { return "\(microseconds / 1_000) ms" }
        return StatusText.duration(microseconds / 1_000_000)
    }
}
