import CKernel
import Glibc

/// An open file that is closed exactly once, when its owner goes away.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, for calls that borrow it; it must not outlive the owner.
    public let raw: CInt

    /// Takes ownership of an open descriptor.
    public init(owning raw: CInt) {
        precondition(raw >= 0, "a descriptor is never negative")
        self.raw = raw
    }

    /// Gives the ownership away: the caller closes it.
    public consuming func release() -> CInt {
        let number = raw
        discard self
        return number
    }

    deinit {
        // close(2) frees the number even when it reports an error.
        _ = close(raw)
    }
}

extension Descriptor {
    /// Opens a file (open(2)); CLOEXEC always.
    public static func open(
        _ path: String, _ flags: CInt, mode: UInt32 = 0
    ) throws(KernelError) -> Descriptor {
        Descriptor(
            owning: try check("open", path) { () -> CInt in
                unsafe corral_open(path, flags, mode)
            })
    }

    /// A second number for the same open file (fcntl(2) F_DUPFD_CLOEXEC).
    public borrowing func duplicate() throws(KernelError) -> Descriptor {
        let raw = raw
        return Descriptor(owning: try check("fcntl") { fcntl(raw, F_DUPFD_CLOEXEC, 0) })
    }

    /// Writes all bytes (write(2)); meant for files and small control writes.
    public borrowing func write(
        _ bytes: [UInt8], to object: String = ""
    ) throws(KernelError) {
        let raw = raw
        var done = 0
        while done < bytes.count {
            // The pointer lives as long as the closure and the offset stays below the count.
            done += try check("write", object) { () -> Int in
                unsafe bytes.withUnsafeBytes { buffer in
                    unsafe Glibc.write(
                        raw, buffer.baseAddress?.advanced(by: done), buffer.count - done)
                }
            }
        }
    }

    /// Reads at most `limit` bytes in one call; nil when nothing is there yet (EAGAIN).
    public borrowing func read(limit: Int, from object: String = "") throws(KernelError) -> [UInt8]?
    {
        let raw = raw
        var failure: KernelError?
        // The kernel writes at most `limit` bytes into the buffer of that size.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            do throws(KernelError) {
                count = try check("read", object) { () -> Int in
                    unsafe Glibc.read(raw, buffer.baseAddress, limit)
                }
            } catch {
                failure = error
            }
        }
        guard let failure else { return bytes }
        if failure.errno == EAGAIN { return nil }
        throw failure
    }

    /// Reads to the end of the file; refuses more than `limit` bytes with EFBIG.
    public borrowing func readAll(limit: Int, from object: String = "") throws(KernelError)
        -> [UInt8]
    {
        var all: [UInt8] = []
        while let part = try read(limit: min(64 << 10, limit + 1), from: object), !part.isEmpty {
            all += part
            if all.count > limit { throw KernelError("read", object, errno: EFBIG) }
        }
        return all
    }

    /// Reads the whole file from its beginning, wherever others have read to (pread(2)); refuses
    /// more than `limit` bytes with EFBIG.
    public borrowing func readFromStart(limit: Int) throws(KernelError) -> [UInt8] {
        let raw = raw
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: min(64 << 10, limit + 1))
        while true {
            let count = try check("pread") { () -> Int in
                // The kernel writes at most `count` bytes into the array's own room.
                unsafe part.withUnsafeMutableBytes {
                    unsafe pread(raw, $0.baseAddress, $0.count, all.count)
                }
            }
            if count == 0 { return all }
            all += part[..<count]
            if all.count > limit { throw KernelError("pread", errno: EFBIG) }
        }
    }

    /// Whether operations on it return at once instead of waiting.
    public borrowing func setNonblocking(_ on: Bool) throws(KernelError) {
        let raw = raw
        _ = try check("fcntl") { corral_set_nonblocking(raw, on) }
    }

    /// The same for one that somebody else owns.
    public static func setNonblocking(_ raw: CInt) throws(KernelError) {
        _ = try check("fcntl") { corral_set_nonblocking(raw, true) }
    }

    /// Changes the owner of the open file (fchown(2)).
    public borrowing func setOwner(uid: UInt32, gid: UInt32) throws(KernelError) {
        let raw = raw
        _ = try check("fchown") { fchown(raw, uid, gid) }
    }

    /// The file's kind, owner, mode and size (fstat(2)).
    public borrowing func status(of object: String = "") throws(KernelError) -> FileStatus {
        let raw = raw
        var status = corral_stat_t()
        _ = try check("fstat", object) { unsafe corral_fstat(raw, &status) }
        return FileStatus(status)
    }
}

/// The two ends of a pipe (pipe2(2)), both CLOEXEC.
public struct Pipe: ~Copyable, Sendable {
    /// Where bytes come out.
    public let read: Descriptor
    /// Where bytes go in.
    public let write: Descriptor

    /// Makes a pipe.
    public init() throws(KernelError) {
        var ends: [CInt] = [-1, -1]
        _ = try check("pipe2") { unsafe corral_pipe2(&ends, 0) }
        read = Descriptor(owning: ends[0])
        write = Descriptor(owning: ends[1])
    }

    private init(read: consuming Descriptor, write: consuming Descriptor) {
        self.read = read
        self.write = write
    }

    /// Gives both ends away: the caller closes them.
    public consuming func release() -> (read: CInt, write: CInt) {
        split { read, write in (read.release(), write.release()) }
    }

    /// Hands both ends away: the reading one, the writing one.
    public consuming func split<Result: ~Copyable, Failure: Error>(
        _ body: (consuming Descriptor, consuming Descriptor) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(read, write)
    }
}

extension Descriptor {
    /// A descriptor for a path only, links followed: enough for its status (open(2), O_PATH).
    public static func openPath(_ path: String) throws(KernelError) -> Descriptor {
        try open(path, CORRAL_O_PATH)
    }
}

extension KernelError {
    /// Whether nothing is there.
    public var isMissing: Bool { errno == ENOENT || errno == ENOTDIR }
}

extension Descriptor {
    /// Locks the file (flock(2)) for as long as it is open, here or where it was passed on; false
    /// when somebody else has it.
    public borrowing func lockExclusively() throws(KernelError) -> Bool {
        let raw = raw
        do throws(KernelError) {
            _ = try check("flock") { corral_lock_exclusively(raw) }
            return true
        } catch  where error.errno == EWOULDBLOCK {
            return false
        }
    }
}

extension Descriptor {
    /// Whether it was opened for reading (fcntl(2) F_GETFL).
    public var isReadable: Bool { fcntl(raw, F_GETFL) & O_ACCMODE != O_WRONLY }
    /// Whether it was opened for writing.
    public var isWritable: Bool { fcntl(raw, F_GETFL) & O_ACCMODE != O_RDONLY }
}
