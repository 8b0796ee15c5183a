import Kernel
import SupervisorProtocol

extension PostureRows {
    /// The network namespace of the tool, as the kernel tells it from inside.
    func network() -> [PostureRow] {
        let meant = NetworkReading(meantFor: walls.network)
        guard let found = reading.network else {
            return [row("network", "namespace", "read", "not read", false)]
        }
        func list(_ name: String, _ meant: [String], _ found: [String]) -> PostureRow {
            row(
                "network", name, meant.isEmpty ? "none" : meant.joined(separator: ", "),
                found.isEmpty ? "none" : found.joined(separator: ", "),
                meant.sorted() == found.sorted())
        }
        return [
            list("devices", meant.devices, found.devices),
            list("default routes", meant.routes, found.routes),
            row(
                "network", "rules", meant.rules(beside: meant), found.rules(beside: meant),
                found.hasRules(of: meant)),
            list("listeners", meant.listeners, found.listeners),
            row("network", "way out", "", walls.wayOut, true),
        ]
    }
}

extension Walls {
    /// What leads out of the sandbox, in words.
    var wayOut: String {
        switch network {
        case nil: "none"
        case .loopback: "none; its processes may talk to each other on loopback"
        case .gateway(let own):
            "the gateway, by \(entries) of 'allow'"
                + (own ? "; its processes may talk to each other on loopback" : "")
        }
    }

    private var entries: String { "\(grants) \(grants == 1 ? "entry" : "entries")" }
}
