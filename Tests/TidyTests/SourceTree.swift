import Glibc

/// A text file of the repository, split into lines.
struct SourceFile {
    /// Its path from the top of the repository.
    var path: String
    var lines: [String]

    /// The directory below `Sources` or `Tests` that holds it: the target's name.
    var target: String {
        let parts = path.split(separator: "/")
        return parts.count > 1 ? String(parts[1]) : ""
    }
    var isSwift: Bool { path.hasSuffix(".swift") }
    var isC: Bool { path.hasSuffix(".c") || path.hasSuffix(".h") }
}

/// The repository that these tests were compiled from.
enum SourceTree {
    static let top: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// Every file below the directories whose name ends with one of the suffixes.
    static func files(below directories: [String], ending suffixes: [String]) -> [SourceFile] {
        directories.flatMap { paths(below: $0) }
            .filter { path in suffixes.contains { path.hasSuffix($0) } }
            .sorted()
            .map { SourceFile(path: $0, lines: lines(of: $0)) }
    }

    /// The bytes of a file; empty when it cannot be read.
    static func bytes(of path: String) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe read(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
    }

    private static func lines(of path: String) -> [String] {
        let text = String(decoding: bytes(of: "\(top)/\(path)"), as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private static func paths(below directory: String) -> [String] {
        guard let stream = unsafe opendir("\(top)/\(directory)") else { return [] }
        defer { unsafe closedir(stream) }
        var found: [String] = []
        while let entry = unsafe readdir(stream) {
            // The entry is valid until the next readdir; its name is copied at once.
            let name = unsafe withUnsafePointer(to: entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            guard !name.hasPrefix("."), name != "__pycache__" else { continue }
            if unsafe entry.pointee.d_type == UInt8(DT_DIR) {
                found += paths(below: "\(directory)/\(name)")
            } else {
                found.append("\(directory)/\(name)")
            }
        }
        return found
    }
}
