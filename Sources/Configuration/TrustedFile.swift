import Glibc
import Kernel
public import YAML

/// Who must have written a file before it is obeyed.
public enum Trust: Sendable {
    /// Root, or the user this process runs as: files that decide what is allowed.
    case owners
    /// Anybody: a file that somebody only wants checked.
    case anybody
}

/// Files that nobody but their owner can have written.
public enum TrustedFile {
    /// Reads a regular file of at most 256 KiB.
    ///
    /// Throws when it cannot be read, is a link or no file, or when anybody else could have
    /// changed it; then the message says which command mends that.
    public static func read(_ path: String, _ trust: Trust) throws(Mistake) -> [UInt8] {
        let place = Place(file: path)
        // NONBLOCK: opening a FIFO must not wait for a writer.
        let file = try kernel(path) { () throws(KernelError) in
            try Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        }
        let status = try kernel(path) { () throws(KernelError) in try file.status(of: path) }
        guard status.isRegular else {
            throw Mistake(place, "cannot read '\(path)': it is not a regular file")
        }
        if trust == .owners { try check(status, path) }
        guard status.size <= Parser.fileBytes else {
            let limit = "\(Parser.fileBytes >> 10) KiB"
            throw Mistake(place, "cannot read '\(path)': it is larger than \(limit)")
        }
        return try kernel(path) { () throws(KernelError) in
            try file.readAll(limit: Parser.fileBytes, from: path)
        }
    }

    /// The names in a directory, sorted, hidden ones left out.
    ///
    /// Throws when the directory, or one above it, can be written by anybody but its owner.
    public static func names(in path: String, _ trust: Trust) throws(Mistake) -> [String] {
        try checkDirectory(path, trust)
        let names = try kernel(path) { () throws(KernelError) in try Files.names(in: path) }
        return names.filter { !$0.hasPrefix(".") }
    }

    /// Throws unless a directory and all above it belong to trusted owners and nobody else may
    /// write there; above it, sticky directories such as /tmp pass.
    public static func checkDirectory(_ path: String, _ trust: Trust) throws(Mistake) {
        guard trust == .owners else { return }
        let real = try kernel(path) { () throws(KernelError) in
            let directory = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
            // Links on the way are resolved here, so that what is checked is what they lead to.
            return try Files.linkTarget("/proc/self/fd/\(directory.raw)") ?? path
        }
        var part = real
        while true {
            let status = try kernel(part) { () throws(KernelError) in try Files.status(part) }
            guard let status else { throw Mistake(Place(file: path), "'\(part)' is gone") }
            if part == real || status.permissions & UInt32(S_ISVTX) == 0 {
                try check(status, part)
            }
            guard part != "/", let slash = part.lastIndex(of: "/") else { return }
            part = slash == part.startIndex ? "/" : String(part[..<slash])
        }
    }

    private static func check(_ status: FileStatus, _ path: String) throws(Mistake) {
        let place = Place(file: path)
        guard status.uid == 0 || status.uid == geteuid() else {
            throw Mistake(
                place,
                "cannot trust '\(path)': user \(status.uid) owns it (chown root '\(path)')")
        }
        guard status.permissions & 0o022 == 0 else {
            throw Mistake(
                place,
                "cannot trust '\(path)': others than its owner may write it "
                    + "(chmod go-w '\(path)')")
        }
    }

    /// Runs calls on a path and turns their failure into a mistake of that file.
    private static func kernel<Result: ~Copyable>(
        _ path: String, _ body: () throws(KernelError) -> Result
    ) throws(Mistake) -> Result {
        do throws(KernelError) {
            return try body()
        } catch {
            let hint = error.errno == ELOOP ? " (a symbolic link is not accepted)" : ""
            throw Mistake(
                Place(file: path), "cannot read '\(path)': \(error.call): \(error.reason)\(hint)")
        }
    }
}
