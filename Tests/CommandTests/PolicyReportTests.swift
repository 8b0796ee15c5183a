import Glibc
import JSONRPC
import Kernel
import Testing

@testable import corral

@Suite struct PolicyReportTests {
    private let root =
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    @Test func `the files that Corral ships are well, one by one and together`() {
        let report = PolicyReport(files: [
            root + "/policies/default.yaml", root + "/runcards/time.yaml",
        ])
        #expect(report.mistakes.isEmpty)
        #expect(
            report.findings.map { String($0.dropFirst(root.count)) }
                == ["/policies/default.yaml: ok (policy)", "/runcards/time.yaml: ok (run card)"])
        let whole = PolicyReport(policies: root + "/policies", runcards: root + "/runcards")
        #expect(whole.mistakes.isEmpty)
        #expect(whole.findings.first?.hasPrefix("ok: ") == true)
    }

    @Test func `every mistake is told with its file, line and column`() throws {
        let file = "/tmp/corral-policy-\(UInt64.random(in: 0...UInt64.max)).yaml"
        let text = "version: 1\nname: x\nlimts: {}\n"
        try Descriptor.open(file, O_WRONLY | O_CREAT, mode: 0o600).write(Array(text.utf8))
        let report = PolicyReport(files: [file, "/no/such.yaml"])
        try Files.remove(file)
        #expect(report.findings.isEmpty)
        let lines = report.complaints
        #expect(lines.contains { $0.hasPrefix("\(file):3:1: ") && $0.contains("limits") })
        #expect(lines.last?.hasPrefix("/no/such.yaml:1:1: ") == true)
        let first = report.json["mistakes"]?.arrayValue?.first
        #expect(first?["file"] == .string(file))
        #expect(first?["line"]?.intValue != nil && first?["column"]?.intValue != nil)
    }
}
