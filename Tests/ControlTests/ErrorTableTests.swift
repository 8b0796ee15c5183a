import Control
import Glibc
import Testing

@Suite struct ErrorTableTests {
    /// The table of docs/errors.md as the codes themselves tell it.
    private var table: String {
        var rows = ["| code | name | what happened | what to do |", "|---|---|---|---|"]
        for code in ErrorCode.allCases {
            rows.append("| \(code.rawValue) | `\(code.name)` | \(code.meaning) | \(code.hint) |")
        }
        return rows.joined(separator: "\n")
    }

    private func contents(_ path: String) throws -> String {
        guard let file = unsafe fopen(path, "r") else {
            Issue.record("cannot open \(path)")
            return ""
        }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = unsafe getc(file), byte != EOF { bytes.append(UInt8(byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `the page of error codes has the table of the codes`() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = try contents("/\(root)/docs/errors.md")
        #expect(page.contains("\n\(table)\n"), "docs/errors.md should hold:\n\(table)")
    }
}
