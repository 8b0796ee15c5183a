import CKernel
import Glibc

/// What fstat(2) tells of a file.
public struct FileStatus: Sendable, Equatable {
    /// Kind and permission bits (inode(7)).
    public let mode: UInt32
    /// The owner.
    public let uid: UInt32
    /// The owning group.
    public let gid: UInt32
    /// Size in bytes.
    public let size: Int
    /// The device and inode numbers: together the file's identity.
    public let device: UInt64
    /// See `device`.
    public let inode: UInt64
    /// When its content or anything above last changed, in nanoseconds since 1970.
    public let changed: Int64

    init(_ raw: corral_stat_t) {
        mode = raw.mode
        uid = raw.uid
        gid = raw.gid
        size = Int(raw.size)
        device = raw.device
        inode = raw.inode
        changed = raw.changed_ns
    }

    /// Whether it is a directory.
    public var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
    /// Whether it is a regular file.
    public var isRegular: Bool { mode & S_IFMT == S_IFREG }
    /// Whether it is a symbolic link.
    public var isLink: Bool { mode & S_IFMT == S_IFLNK }
    /// The permission bits alone.
    public var permissions: UInt32 { mode & 0o7777 }
}

/// Calls on paths. Every path is the caller's own: made of constants and names it has checked.
public enum Files {
    /// The most bytes of names that `names(in:)` returns.
    public static let listingBytes = 1 << 20

    /// What lies at a path, without following a last link; nil when nothing does.
    public static func status(_ path: String) throws(KernelError) -> FileStatus? {
        var status = corral_stat_t()
        do throws(KernelError) {
            _ = try check("lstat", path) { unsafe corral_lstat(path, &status) }
        } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
        return FileStatus(status)
    }

    /// What lies at a path, links followed.
    public static func statusBehindLinks(_ path: String) throws(KernelError) -> FileStatus {
        var status = corral_stat_t()
        _ = try check("stat", path) { unsafe corral_stat(path, &status) }
        return FileStatus(status)
    }

    /// Makes a directory unless it is there; an existing one must be a directory.
    public static func makeDirectory(_ path: String, mode: UInt32) throws(KernelError) {
        do throws(KernelError) {
            _ = try check("mkdir", path) { unsafe mkdir(path, mode) }
        } catch {
            guard error.errno == EEXIST, let found = try status(path), found.isDirectory else {
                throw error
            }
        }
    }

    /// Makes a directory and those above it that are missing.
    public static func makeDirectories(_ path: String, mode: UInt32) throws(KernelError) {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/" + part
            try makeDirectory(made, mode: mode)
        }
    }

    /// The names in a directory, sorted; without `.` and `..`.
    public static func names(in path: String) throws(KernelError) -> [String] {
        var buffer = [CChar](repeating: 0, count: listingBytes)
        let used = try check("readdir", path) { () -> Int in
            unsafe corral_list(path, &buffer, listingBytes)
        }
        return buffer[..<used].split(separator: 0)
            .map { String(decoding: $0.map(UInt8.init(bitPattern:)), as: UTF8.self) }.sorted()
    }

    /// Reads a whole small file, at most `limit` bytes.
    public static func read(_ path: String, limit: Int) throws(KernelError) -> [UInt8] {
        try Descriptor.open(path, O_RDONLY).readAll(limit: limit, from: path)
    }

    /// Reads a small text file, such as those of procfs and cgroupfs.
    public static func text(_ path: String, limit: Int = 64 << 10) throws(KernelError) -> String {
        String(decoding: try read(path, limit: limit), as: UTF8.self)
    }

    /// Writes into an existing file, such as those of procfs and cgroupfs.
    public static func write(_ text: String, to path: String) throws(KernelError) {
        try Descriptor.open(path, O_WRONLY).write(Array(text.utf8), to: path)
    }

    /// Removes a file or link; nothing happens when it is not there.
    public static func remove(_ path: String) throws(KernelError) {
        do throws(KernelError) {
            _ = try check("unlink", path) { unsafe unlink(path) }
        } catch  where error.errno == ENOENT {
            return
        }
    }

    /// Removes an empty directory; nothing happens when it is not there.
    public static func removeDirectory(_ path: String) throws(KernelError) {
        do throws(KernelError) {
            _ = try check("rmdir", path) { unsafe rmdir(path) }
        } catch  where error.errno == ENOENT {
            return
        }
    }

    /// Removes a directory and all in it, following no link, however deep and full it is; nothing
    /// happens when it is not there.
    ///
    /// Only for trees that no other process writes any more: it does not end before they are empty.
    public static func removeTree(_ path: String) throws(KernelError) {
        _ = try check("rmdir", path) { unsafe corral_remove_tree(path) }
    }

    /// Renames atomically (rename(2)).
    public static func rename(_ old: String, to new: String) throws(KernelError) {
        _ = try check("rename", old) { unsafe Glibc.rename(old, new) }
    }

    /// Changes owner and group of a path, not following a last link.
    public static func setOwner(_ path: String, uid: UInt32, gid: UInt32) throws(KernelError) {
        _ = try check("lchown", path) { unsafe lchown(path, uid, gid) }
    }

    /// Changes the permission bits.
    public static func setMode(_ path: String, _ mode: UInt32) throws(KernelError) {
        _ = try check("chmod", path) { unsafe chmod(path, mode) }
    }

    /// Where a symbolic link points; nil when there is none.
    public static func linkTarget(_ path: String) throws(KernelError) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let used: Int
        do throws(KernelError) {
            used = try check("readlink", path) { () -> Int in
                unsafe readlink(path, &buffer, buffer.count)
            }
        } catch  where error.errno == EINVAL || error.errno == ENOENT {
            // EINVAL: something else than a link is there.
            return nil
        }
        return String(decoding: buffer[..<used].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension Files {
    /// Waits until everything written to the file system that `path` lies in is on disk
    /// (syncfs(2)).
    public static func synchronize(_ path: String) throws(KernelError) {
        let place = try Descriptor.open(path, O_RDONLY)
        let raw = place.raw
        _ = try check("syncfs", path) { corral_syncfs(raw) }
    }

    /// Makes a new file with the given text; an existing one is an error.
    public static func create(_ path: String, mode: UInt32, text: String) throws(KernelError) {
        let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        try file.write(Array(text.utf8), to: path)
    }
}
