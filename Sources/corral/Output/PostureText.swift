internal import Control

/// A posture in words.
enum PostureText {
    /// One line a comparison, and a last line that sums up.
    static func lines(_ posture: ConnectionsPosture.Result, _ screen: Screen) -> [String] {
        var table = Table(["WHAT", "", "STATE", "WANTED", "FOUND"])
        var group = ""
        for row in posture.rows {
            table.add(
                .init(row.group == group ? "" : row.group, .bold), .init(row.name),
                .init(row.ok ? "ok" : "differs", row.ok ? .green : .red), .init(row.wanted),
                .init(row.found))
            group = row.group
        }
        let wrong = posture.rows.count { !$0.ok }
        let verdict =
            wrong == 0
            ? screen.paint("the kernel enforces what the policy wants", .green)
            : screen.paint("\(wrong) of \(posture.rows.count) differ: tell an admin", .red)
        return table.lines(screen) + ["", verdict]
    }
}
