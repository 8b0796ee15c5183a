import Glibc
import Kernel
import Testing

/// What of the host attacks go for, laid by scripts/hostile_host.py and taken away when this
/// process ends.
struct Bait: Sendable {
    /// The repository these tests were compiled from.
    static let top = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    /// One for all tests; nil where it could not be laid.
    static let shared = try? Bait()

    let directory: String
    /// What the attacks are told: a JSON object without its last brace.
    let facts: String
    private init() throws {
        directory = "/var/tmp/corral-test-bait-\(getpid())"
        let input = try Pipe()
        let output = try Pipe()
        // The helper's descriptors 3 and 4 become its standard input and output.
        _ = try Child.spawn(
            "/bin/sh",
            arguments: [
                "-c", #"exec "$0" "$@" <&3 >&4 3<&- 4>&-"#, "/usr/bin/python3", "-B",
                Self.top + "/scripts/hostile_host.py", directory,
            ], environment: ["PATH=/usr/bin:/bin"],
            descriptors: [input.read.raw, output.write.raw])
        // Closed by the end of this process, which is when the helper tidies up.
        _ = try input.write.duplicate().release()
        let told = try output.read.duplicate()
        _ = consume output
        var text: [UInt8] = []
        while text.last != UInt8(ascii: "\n") {
            guard let part = try told.read(limit: 4096, from: "bait"), !part.isEmpty else { break }
            text += part
        }
        let line = String(decoding: text, as: UTF8.self)
        guard line.hasSuffix("}\n") else { throw KernelError("read", "bait", errno: EPROTO) }
        facts = String(line.dropLast(2))
    }
}
