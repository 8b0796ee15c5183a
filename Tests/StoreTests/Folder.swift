import Glibc

/// A directory of mode 0700 that goes away with this object.
final class Folder {
    let path: String

    init() {
        path = "/tmp/corral-store-\(UInt64.random(in: 0...UInt64.max))"
        unsafe mkdir(path, 0o700)
    }

    deinit {
        for name in names { unsafe unlink("\(path)/\(name)") }
        unsafe rmdir(path)
    }

    var file: String { "\(path)/corral.db" }

    /// The names in the directory.
    var names: [String] {
        guard let stream = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// The permission bits of one of its files, or nil.
    func mode(_ name: String) -> UInt32? {
        var status = stat()
        guard unsafe stat("\(path)/\(name)", &status) == 0 else { return nil }
        return status.st_mode & 0o777
    }

    /// Whether any of its files holds the bytes of `text`.
    func holds(_ text: String) -> Bool {
        names.contains { name in
            let bytes = contents(name)
            let wanted = Array(text.utf8)
            guard bytes.count >= wanted.count else { return false }
            return (0...(bytes.count - wanted.count)).contains {
                bytes[$0..<($0 + wanted.count)].elementsEqual(wanted)
            }
        }
    }

    func contents(_ name: String) -> [UInt8] {
        guard let stream = unsafe fopen("\(path)/\(name)", "r") else { return [] }
        defer { unsafe fclose(stream) }
        var bytes: [UInt8] = []
        while case let byte = unsafe getc(stream), byte != EOF { bytes.append(UInt8(byte)) }
        return bytes
    }

    /// Writes over a file from `offset` on, creating it with mode 0600.
    func write(_ bytes: [UInt8], to name: String, at offset: Int = 0) {
        let fd = unsafe open("\(path)/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(fd) }
        _ = unsafe pwrite(fd, bytes, bytes.count, offset)
    }
}
