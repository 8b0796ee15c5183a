internal import Control

/// Rows of cells in aligned columns, fitted to a screen; every cell is made safe to print.
struct Table {
    /// One cell: its text and, if it has one, its colour.
    struct Cell: ExpressibleByStringInterpolation {
        var text: String
        var tint: Screen.Tint?

        init(_ text: String, _ tint: Screen.Tint? = nil) {
            self.text = sanitized(text)
            self.tint = tint
        }

        init(stringLiteral value: String) {
            self.init(value)
        }
    }

    /// Spaces between columns.
    private static let gap = 2
    /// The narrowest the last column may become before lines are left too long.
    private static let narrowest = 16

    private let indent: Int
    private var rows: [[Cell]] = []

    /// Starts a table; titles, if there are any, become a first row in dim letters.
    init(_ titles: [String] = [], indent: Int = 0) {
        self.indent = indent
        if !titles.isEmpty { rows.append(titles.map { Cell($0, .dim) }) }
    }

    /// Adds a row; the last cell is the one that is cut when the screen is too narrow.
    mutating func add(_ cells: Cell...) {
        rows.append(cells)
    }

    /// The finished lines without spaces at their ends.
    func lines(_ screen: Screen) -> [String] {
        let widths = widths
        return rows.map { row in
            var line = String(repeating: " ", count: indent)
            for (index, cell) in row.enumerated() {
                let isLast = index == row.count - 1
                let text = isLast ? fitted(cell.text, index, widths, screen) : cell.text
                line += screen.paint(text, cell.tint)
                guard !isLast else { continue }
                line += String(repeating: " ", count: widths[index] - columns(text) + Self.gap)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// The widest cell of each column.
    private var widths: [Int] {
        rows.reduce(into: []) { widths, row in
            for (index, cell) in row.enumerated() {
                if index == widths.count { widths.append(0) }
                widths[index] = max(widths[index], columns(cell.text))
            }
        }
    }

    private func fitted(_ text: String, _ index: Int, _ widths: [Int], _ screen: Screen) -> String {
        guard let width = screen.width else { return text }
        let before = indent + widths.prefix(index).reduce(0) { $0 + $1 + Self.gap }
        return cut(text, to: max(width - before, Self.narrowest))
    }
}
