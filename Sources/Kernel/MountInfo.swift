/// One line of /proc/PID/mountinfo (proc(5)).
public struct MountInfo: Sendable, Equatable {
    /// The file system's device number, `254:0`; one made up, `0:39`, for most that are on no disk.
    public let device: String
    /// What of the file system is mounted: a path in it.
    public let root: String
    /// Where, as the process sees it.
    public let point: String
    /// The mount's own options: `ro`, `nosuid`, `nodev`, …
    public let options: Set<String>
    /// `shared:N`, `master:N`: what it has in common with other mounts; empty for a private one.
    public let propagation: [String]
    /// The kind of file system.
    public let kind: String
    /// The file system's options.
    public let fileSystemOptions: [String]

    /// Reads a line; nil when it is none.
    public init?(_ line: Substring) {
        let fields = line.split(separator: " ")
        guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else {
            return nil
        }
        device = String(fields[2])
        root = Self.unescaped(fields[3])
        point = Self.unescaped(fields[4])
        options = Set(fields[5].split(separator: ",").map(String.init))
        propagation = fields[6..<dash].map(String.init)
        kind = String(fields[dash + 1])
        fileSystemOptions = fields[dash + 3].split(separator: ",").map(String.init)
    }

    /// Space, tab, line feed and backslash are written as three octal digits.
    private static func unescaped(_ field: Substring) -> String {
        guard field.contains("\\") else { return String(field) }
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            guard byte == UInt8(ascii: "\\"), digits.count == 3,
                let number = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(number)
            rest = rest.dropFirst(3)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Where a cgroup appears below this mount, which may show only a part of the hierarchy.
    func place(of path: String) -> String {
        var rest = path
        if root != "/" && (path == root || path.hasPrefix(root + "/")) {
            rest = String(path.dropFirst(root.count))
        }
        return rest == "/" || rest.isEmpty ? point : point + rest
    }
}
