import JSONRPC
import Kernel
import Testing

extension IntegrationTests {
    /// A second reader of JSON, Python's, over generated and hostile documents: what one reads
    /// otherwise than the other is a way past a check.
    @Suite struct JSONDifferentialTests {
        private static let documents = 5_000

        @Test(arguments: [1, 2, 3])
        func `Python's json and ours accept the same, and read the same`(seed: Int) throws {
            let directory = "/tmp/corral-json-" + String(try System.random(8)[0]) + "-\(seed)"
            try Files.makeDirectory(directory, mode: 0o700)
            defer {
                do { try Files.removeTree(directory) } catch { Issue.record("\(error)") }
            }
            let script = "\(Host.top)/Tests/IntegrationTests/Clients/json_documents.py"
            let done = try Command.run(
                ["/usr/bin/python3", "-B", script, String(seed), String(Self.documents)],
                files: directory + "/python")
            try #require(done.status == 0, "\(done.err)")
            var accepted = 0
            var refused = 0
            for line in done.out.split(separator: "\n") {
                let parts = line.split(separator: " ", omittingEmptySubsequences: false)
                let document = bytes(parts[0])
                var ours: [UInt8]?
                do { ours = try JSON.parse(document).serialized() } catch { refused += 1 }
                if ours != nil { accepted += 1 }
                let theirs = parts[1] == "-" ? nil : bytes(parts[1])
                #expect(ours == theirs, "\(String(decoding: document.prefix(200), as: UTF8.self))")
            }
            // Both kinds have to be there, or nothing was compared.
            #expect(accepted > Self.documents && refused > Self.documents / 4)
        }

        private func bytes(_ text: Substring) -> [UInt8] {
            let digits = text.utf8.map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
            return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
        }
    }
}
