internal import Control

/// The daemon's figures, and who the caller is, in words.
enum StatusText {
    /// What `corral status` prints.
    static func lines(
        _ status: DaemonStatus.Result, socket: String, _ screen: Screen
    ) -> [String] {
        var table = Table()
        table.add(.init("daemon", .dim), .init("corrald \(status.version) at \(socket)"))
        table.add(.init("up", .dim), .init(duration(status.uptimeSeconds)))
        table.add(.init("sandboxes", .dim), .init("\(status.sandboxes) running"))
        table.add(.init("connections", .dim), .init("\(status.connections) registered"))
        table.add(.init("clients", .dim), .init("\(status.clients)"))
        return table.lines(screen)
    }

    /// What `corral whoami` prints.
    static func lines(_ caller: Whoami.Result, _ screen: Screen) -> [String] {
        var table = Table()
        table.add(.init("user", .dim), .init("\(caller.user) (\(caller.uid))"))
        table.add(.init("groups", .dim), .init(list(caller.groups)))
        table.add(.init("cards", .dim), .init(list(caller.cards)))
        table.add(.init("own commands", .dim), .init(caller.mayRunCommands ? "yes" : "no"))
        table.add(.init("run with", .dim), .init(list(caller.run)))
        table.add(.init("connections", .dim), .init("at most \(caller.connectionsMax)"))
        if caller.admin { table.add(.init("admin", .dim), .init("yes")) }
        return table.lines(screen)
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.joined(separator: ", ")
    }

    /// The two largest units: `3 d 4 h`.
    static func duration(_ seconds: Int) -> String {
        let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)]
        let parts = units.enumerated().compactMap { index, unit -> String? in
            let within = index == 0 ? seconds : seconds % units[index - 1].1
            let count = within / unit.1
            return count > 0 ? "\(count) \(unit.0)" : nil
        }
        return parts.isEmpty ? "0 s" : parts.prefix(2).joined(separator: " ")
    }
}
