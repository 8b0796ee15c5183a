/// One key in the documentation's table.
public struct Row: Sendable, Equatable {
    /// The key's path: `limits.memory`, `settings[].name`.
    var path: String
    /// What it takes.
    var takes: String
    /// `required`, the default, or nothing.
    var standard: String
    /// The sentence.
    var summary: String

    func inList() -> Row {
        Row(path: "[]." + path, takes: takes, standard: standard, summary: summary)
    }

    func below(_ name: String) -> Row {
        let joined = path.hasPrefix("[]") ? name + path : name + "." + path
        return Row(path: joined, takes: takes, standard: standard, summary: summary)
    }
}

extension Schema {
    /// The documentation's table of every key, in Markdown, ending in a line break.
    ///
    /// The pages under docs/ contain exactly this text; a test compares them.
    public func table() -> String {
        var lines = ["| key | takes | default | what it does |", "|---|---|---|---|"]
        for row in rows() {
            lines.append("| `\(row.path)` | \(row.takes) | \(row.standard) | \(row.summary) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    func rows() -> [Row] {
        keys.flatMap { key -> [Row] in
            let standard = key.isRequired ? "required" : key.standard.map { "`\($0)`" } ?? ""
            let own = Row(
                path: key.name, takes: key.takes, standard: standard, summary: key.summary)
            return [own] + key.rows().map { $0.below(key.name) }
        }
    }
}
