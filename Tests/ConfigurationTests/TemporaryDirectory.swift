import Glibc
import Kernel

/// A directory of a test's own under /tmp, removed with its content when the body is over.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let name = try System.random(8).map { String($0, radix: 16) }.joined()
    let path = "/tmp/corral-configuration-\(name)"
    try Files.makeDirectory(path, mode: 0o755)
    do {
        let result = try body(path)
        try Files.removeTree(path)
        return result
    } catch {
        try Files.removeTree(path)
        throw error
    }
}

/// Writes a file with exactly these permissions.
func write(_ text: String, to path: String, mode: UInt32 = 0o644) throws {
    try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode).write(Array(text.utf8))
    try Files.setMode(path, mode)
}

/// The directory of the package.
let packageDirectory = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    .dropLast(3).joined(separator: "/")
