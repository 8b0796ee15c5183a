internal import Control

/// Connections in words.
enum ConnectionText {
    /// What `corral connect` says in the end.
    static func summary(_ connection: Connection, _ screen: Screen) -> [String] {
        let count = tools(connection)
        let title = screen.paint(sanitized(connection.name), .bold)
        var lines = ["connected \(title) (card \(sanitized(connection.card))): \(count)"]
        var table = Table(indent: 2)
        for tool in connection.tools {
            table.add(.init(tool.name), .init(firstLine(tool.description ?? tool.title), .dim))
        }
        lines += table.lines(screen)
        return lines
    }

    /// What `corral restart` says in the end.
    static func restarted(_ connection: Connection, _ screen: Screen) -> [String] {
        let title = screen.paint(sanitized(connection.name), .bold)
        return ["restarted \(title): \(tools(connection))"]
    }

    private static func tools(_ connection: Connection) -> String {
        connection.tools.count == 1 ? "1 tool" : "\(connection.tools.count) tools"
    }

    /// What `corral list` prints.
    static func list(_ connections: [Connection], _ screen: Screen) -> [String] {
        guard !connections.isEmpty else {
            return ["no connections yet; `corral cards` shows what you can connect"]
        }
        var table = Table(["NAME", "CARD", "STATE", "TOOLS", "LAST USED"])
        for connection in connections {
            table.add(
                .init(connection.name, .bold), .init(connection.card),
                .init(state(connection), tint(connection.state)),
                .init("\(connection.tools.count)"),
                .init(connection.lastUsed.map(time) ?? "never"))
        }
        return table.lines(screen)
    }

    /// What it is doing; after failures in a row how many, and for how long it is not tried again.
    private static func state(_ connection: Connection) -> String {
        guard connection.failures > 1 else { return connection.state.rawValue }
        let wait = connection.retryMilliseconds.map { ", next in \(($0 + 999) / 1000) s" } ?? ""
        return "\(connection.state.rawValue) ×\(connection.failures)\(wait)"
    }

    /// An instant in ISO 8601 to the minute: `2026-07-28 12:00`.
    static func time(_ text: String) -> String {
        text.count >= 16 ? String(text.prefix(16)).replacing("T", with: " ") : text
    }

    private static func tint(_ state: Connection.State) -> Screen.Tint {
        switch state {
        case .ready: .green
        case .idle: .dim
        case .installing, .starting: .yellow
        case .failed: .red
        }
    }
}

/// The first line with words in it; what a description begins with.
func firstLine(_ text: String?) -> String {
    let lines = (text ?? "").split(whereSeparator: \.isNewline)
    return String(lines.first { !$0.allSatisfy(\.isWhitespace) } ?? "")
}
