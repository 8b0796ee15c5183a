internal import Control

/// The story of one decision about the network, in plain words, each line safe to print.
enum WhyText {
    /// What `corral why` prints.
    static func lines(_ result: Why.Result, _ screen: Screen) -> [String] {
        let decision = result.decision
        var lines = [
            screen.paint(headline(decision), decision.reason == nil ? .green : .red), "",
        ]
        var table = Table()
        table.add(.init("when", .dim), .init(decision.time))
        table.add(.init("who", .dim), .init(who(decision)))
        if decision.origin == .connection {
            table.add(.init("call", .dim), .init(call(decision)))
        }
        table.add(.init("asked for", .dim), .init(askedFor(decision)))
        table.add(.init("because", .dim), .init(because(decision)))
        if decision.count > 1 { table.add(.init("again", .dim), .init("\(decision.count) times")) }
        if let end = ended(decision) { table.add(.init("ended", .dim), .init(end)) }
        // A story is not cut where a screen is narrow.
        lines += table.lines(Screen(width: nil, coloured: screen.coloured))
        let advice = advice(decision, result.allowPlace)
        if !advice.isEmpty { lines += [""] + advice.map { sanitized($0) } }
        return lines
    }

    private static func headline(_ decision: NetworkDecision) -> String {
        let what = decision.kind == .resolve ? "the name " : ""
        let destination = NetText.destination(decision.destination, decision.name)
        let verdict = decision.reason == nil ? "was allowed" : "was refused"
        return sanitized("\(what)\(destination) \(verdict)")
    }

    private static func who(_ decision: NetworkDecision) -> String {
        let user = decision.user.isEmpty ? "" : ", user \(decision.user)"
        let policy = decision.policy.isEmpty ? "" : ", policy '\(decision.policy)'"
        return switch decision.origin {
        case .connection: "the server of connection '\(decision.subject)'\(user)\(policy)"
        case .run: "the command '\(decision.subject)' of `corral run`\(user)\(policy)"
        case .install: "the installation of card '\(decision.subject)'\(user)\(policy)"
        }
    }

    private static func call(_ decision: NetworkDecision) -> String {
        switch decision.calls {
        case 0: return "none was in flight: the server did this by itself"
        case 1:
            return "\(decision.tools)" + (decision.call.map { " (\($0))" } ?? "")
        default: return "one of \(decision.calls) that were in flight: \(decision.tools)"
        }
    }

    private static func askedFor(_ decision: NetworkDecision) -> String {
        guard decision.kind == .connect else { return "the addresses of '\(decision.name)'" }
        let given =
            decision.name.isEmpty
            ? ", an address that was not given out for any name"
            : ", an address that was given out for '\(decision.name)'"
        return "a TCP connection to \(decision.destination)\(given)"
    }

    private static func because(_ decision: NetworkDecision) -> String {
        let place = decision.place.isEmpty ? "" : " (\(decision.place))"
        guard let reason = decision.reason else {
            return "the entry '\(decision.rule)' of network.allow grants it\(place)"
        }
        return switch reason {
        case .notAllowed: "no entry of network.allow names it\(place)"
        case .deniedSet:
            "network.deny has '\(decision.set ?? "?")', which holds the address\(place)"
        case .hostAddress: "it is an address of the host that Corral runs on\(place)"
        case .nameMismatch:
            "the program sent another name than the one the address was given out for\(place)"
        case .badQuestion: "it is no question that the resolver answers\(place)"
        case .revoked: "rules that came later deny it\(place)"
        case .connections: "as many connections as network.connections allows were open\(place)"
        case .connectionsPerSecond:
            "more connections a second than network.connections_per_second allows\(place)"
        case .bytesPerCall: "the call had used network.bytes_per_call\(place)"
        case .bytesPerDay: "the day's network.bytes_per_day were used\(place)"
        }
    }

    private static func ended(_ decision: NetworkDecision) -> String? {
        guard let end = decision.ending else { return nil }
        let moved = "\(NetText.size(end.sent)) sent, \(NetText.size(end.received)) received"
        let errno = end.errno == 0 ? "" : ", error \(end.errno)"
        return "\(end.cause) after \(NetText.duration(end.microseconds)): \(moved)\(errno)"
    }

    /// What an admin would change, if that is meant to be allowed.
    static func advice(_ decision: NetworkDecision, _ allowPlace: String) -> [String] {
        guard let reason = decision.reason else { return [] }
        let place = allowPlace.isEmpty ? "the policy" : allowPlace
        let entry = entry(decision)
        switch reason {
        case .notAllowed:
            let also =
                decision.origin == .connection ? " (and, if it has entries, to its run card's)" : ""
            return [
                "To allow it, an admin adds to network.allow at \(place)\(also):", "  - \(entry)",
            ]
        case .deniedSet where decision.set == "private":
            return [
                "Caution: this is an address of a private network; whoever answers there trusts",
                "its neighbours. To allow this one all the same, an admin writes at \(place):",
                "  - {to: \(entry), private: true}",
            ]
        case .deniedSet where decision.set == "metadata":
            return [
                "Caution: cloud providers hand out credentials of the whole machine there. No",
                "entry of network.allow opens it; do not take 'metadata' out of network.deny.",
            ]
        case .deniedSet:
            let set = decision.set ?? "it"
            return [
                "Caution: no entry of network.allow opens it as long as network.deny has '\(set)'.",
                "An admin who takes that out opens the whole set to every tool of this policy.",
            ]
        case .hostAddress:
            return [
                "Caution: services of this host would be open to the tool. To allow this port all",
                "the same, an admin adds to network.allow at \(place):",
                "  - \"host_addresses:\(decision.port)\"",
            ]
        case .nameMismatch:
            return ["To allow the name that was sent, an admin adds that to network.allow."]
        case .badQuestion: return []
        case .revoked: return ["The rules were changed while it was open; see \(place)."]
        case .connections, .connectionsPerSecond, .bytesPerCall, .bytesPerDay:
            return ["An admin can raise \(reason.limit ?? "the limit") at \(place)."]
        }
    }

    /// An entry that names no more than what was asked for.
    private static func entry(_ decision: NetworkDecision) -> String {
        if decision.name.isEmpty { return "\"\(decision.destination)\"" }
        return "\"\(decision.name):\(decision.port == 0 ? "443" : String(decision.port))\""
    }
}
